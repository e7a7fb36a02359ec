/** A key as it stood at some revision. */
export interface KeyValue {
  /** UTF-8 in the store. Octets that are none read as U+FFFD. */
  readonly key: string;
  /** A view of the reply that brought it: whoever keeps it for long copies it. */
  readonly value: Uint8Array;
  /** The revision that created the key; another one after it was deleted and put again. */
  readonly createRevision: number;
  /** The revision that put this value. */
  readonly modRevision: number;
  /** Puts since the key was created, from 1. */
  readonly version: number;
  /** The lease that the key dies with; 0 for none. */
  readonly lease: bigint;
}
