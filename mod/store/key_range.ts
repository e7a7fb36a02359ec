/** Which keys a call means. Keys are ordered by their octets in UTF-8. */
export type KeyRange =
  /** One key. */
  | { readonly key: string }
  /** All keys that start so; the empty prefix means all keys. */
  | { readonly prefix: string }
  /** From one key up to, and without, another. */
  | { readonly from: string; readonly to: string };
