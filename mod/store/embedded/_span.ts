import { Buffer } from "node:buffer";

/** Keys from one up to, and without, another; `to` is absent where there is no end. */
export interface Span {
  readonly from: Uint8Array;
  readonly to: Uint8Array | undefined;
}

/** A request's `key` and `range_end` as a span: none means the key alone, `\0` no end. */
export function spanOf(key: Uint8Array, rangeEnd: Uint8Array): Span {
  if (rangeEnd.length === 0) return { from: key, to: Buffer.concat([key, Buffer.from([0])]) };
  if (rangeEnd.length === 1 && rangeEnd[0] === 0) return { from: key, to: undefined };
  return { from: key, to: rangeEnd };
}

export function isEmptySpan({ from, to }: Span): boolean {
  return to !== undefined && Buffer.compare(from, to) >= 0;
}

export function contains({ from, to }: Span, key: Uint8Array): boolean {
  return Buffer.compare(from, key) <= 0 && (to === undefined || Buffer.compare(key, to) < 0);
}

/** Octets as a map's key. */
export function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString("latin1");
}
