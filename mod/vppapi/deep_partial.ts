/** `T` with every field of every nested object optional; byte arrays stay whole. */
export type DeepPartial<T> = T extends Uint8Array ? T
  : T extends readonly (infer E)[] ? readonly DeepPartial<E>[]
  : T extends object ? { readonly [K in keyof T]?: DeepPartial<T[K]> | undefined }
  : T;
