import { Buffer } from "node:buffer";
import type { KeyRange } from "../key_range.ts";

/** A range as etcd says it: `range_end` is left out, beyond the last key, or `\0` for no end. */
export interface WireRange {
  key: Buffer;
  range_end?: Buffer;
}

const NUL = Buffer.from([0]);
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A key's octets. */
export function keyBytes(key: string): Buffer {
  return Buffer.from(key, "utf8");
}

/** A key's text. */
export function keyText(key: Uint8Array): string {
  return decoder.decode(key);
}

/** The first key behind all that start with a prefix, or `\0` where there is none. */
export function prefixEnd(prefix: Buffer): Buffer {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length--;
  if (length === 0) return NUL;
  const end = Buffer.from(prefix.subarray(0, length));
  end[length - 1] = (end[length - 1] ?? 0) + 1;
  return end;
}

/** The key right behind another. */
export function nextKey(key: Uint8Array): Buffer {
  return Buffer.concat([key, NUL]);
}

export function wireRange(range: KeyRange): WireRange {
  if ("key" in range) return { key: keyBytes(range.key) };
  if ("from" in range) {
    const from = keyBytes(range.from);
    return { key: from.length === 0 ? NUL : from, range_end: keyBytes(range.to) };
  }
  const prefix = keyBytes(range.prefix);
  if (prefix.length === 0) return { key: NUL, range_end: NUL };
  return { key: prefix, range_end: prefixEnd(prefix) };
}

/** A range for people. */
export function describeRange(range: KeyRange): string {
  if ("key" in range) return range.key;
  return "prefix" in range ? `${range.prefix}*` : `${range.from} to ${range.to}`;
}
