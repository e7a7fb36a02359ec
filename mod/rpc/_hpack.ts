import { type Header, HeaderTable } from "./_header_table.ts";
import { decodeHuffman } from "./_huffman.ts";

/** RFC 7541, Appendix A, from index 1: name, or name=value. */
const STATIC_TABLE: readonly string[] =
  (":authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|" +
    ":status=200|:status=204|:status=206|:status=304|:status=400|:status=404|:status=500|" +
    "accept-charset|accept-encoding=gzip, deflate|accept-language|accept-ranges|accept|" +
    "access-control-allow-origin|age|allow|authorization|cache-control|content-disposition|" +
    "content-encoding|content-language|content-length|content-location|content-range|" +
    "content-type|cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|" +
    "if-none-match|if-range|if-unmodified-since|last-modified|link|location|max-forwards|" +
    "proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|server|" +
    "set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|" +
    "www-authenticate").split("|");

/** A header block that breaks RFC 7541. */
export class HpackError extends Error {
  override readonly name = "HpackError";
}

/**
 * Encodes a header block as literals without indexing and without Huffman (RFC 7541, 6.2.2): no
 * state, and a decoder of any kind reads it. Names and values are ASCII.
 */
export function encodeHeaders(headers: Iterable<readonly [string, string]>): number[] {
  const block: number[] = [];
  for (const [name, value] of headers) {
    block.push(0);
    pushString(block, name);
    pushString(block, value);
  }
  return block;
}

function pushString(block: number[], text: string): void {
  if (text.length < 127) {
    block.push(text.length);
  } else {
    block.push(127);
    let rest = text.length - 127;
    while (rest > 127) {
      block.push(rest & 127 | 128);
      rest >>>= 7;
    }
    block.push(rest);
  }
  for (let i = 0; i < text.length; i++) block.push(text.charCodeAt(i));
}

/**
 * Decodes a header block. Of a repeated header the last counts.
 *
 * @param table what the peer's blocks before had inserted; by default one of no size, for a peer
 *   that was told SETTINGS_HEADER_TABLE_SIZE 0: an insertion leaves it empty (RFC 7541, 4.4)
 * @throws {HpackError} after which the table is of no more use
 */
export function decodeHeaders(
  block: Uint8Array,
  table: HeaderTable = new HeaderTable(0),
): Map<string, string> {
  return new HeaderReader(block, table).read();
}

class HeaderReader {
  readonly #block: Uint8Array;
  readonly #table: HeaderTable;
  #offset = 0;

  constructor(block: Uint8Array, table: HeaderTable) {
    this.#block = block;
    this.#table = table;
  }

  read(): Map<string, string> {
    const headers = new Map<string, string>();
    while (this.#offset < this.#block.length) {
      const first = this.#block[this.#offset] ?? 0;
      if (first >= 0x80) {
        const [name, value] = this.#indexed(this.#integer(7));
        headers.set(name, value);
      } else if (first >> 5 === 1) {
        const { limit } = this.#table;
        const size = this.#integer(5);
        if (size > limit) throw new HpackError(`dynamic table of ${size} octets, wanted ${limit}`);
        this.#table.resize(size);
      } else {
        // Literal with indexing (01), without (0000) or never indexed (0001).
        const index = this.#integer(first >= 0x40 ? 6 : 4);
        const name = index > 0 ? this.#indexed(index)[0] : this.#string();
        const value = this.#string();
        headers.set(name, value);
        if (first >= 0x40) this.#table.insert([name, value]);
      }
    }
    return headers;
  }

  #indexed(index: number): Header {
    const entry = STATIC_TABLE[index - 1];
    if (entry === undefined) {
      const inserted = index > 0 ? this.#table.get(index - 1 - STATIC_TABLE.length) : undefined;
      if (inserted !== undefined) return inserted;
      throw new HpackError(`index ${index}, wanted 1 to ${STATIC_TABLE.length}`);
    }
    const equals = entry.indexOf("=");
    return equals < 0 ? [entry, ""] : [entry.slice(0, equals), entry.slice(equals + 1)];
  }

  #octet(): number {
    const octet = this.#block[this.#offset++];
    if (octet === undefined) throw new HpackError("a cut header block, wanted all of it");
    return octet;
  }

  /** RFC 7541, 5.1; up to 28 bits behind the prefix, more than any frame could need. */
  #integer(prefix: number): number {
    const mask = (1 << prefix) - 1;
    let value = this.#octet() & mask;
    if (value < mask) return value;
    for (let shift = 0; shift < 28; shift += 7) {
      const octet = this.#octet();
      value += (octet & 0x7f) << shift;
      if (octet < 0x80) return value;
    }
    throw new HpackError("an integer of more than 28 bits, wanted less");
  }

  #string(): string {
    const huffman = (this.#block[this.#offset] ?? 0) >= 0x80;
    const length = this.#integer(7);
    const end = this.#offset + length;
    if (end > this.#block.length) throw new HpackError("a cut string, wanted all of it");
    const bytes = this.#block.subarray(this.#offset, end);
    this.#offset = end;
    if (!huffman) {
      let text = "";
      for (const byte of bytes) text += String.fromCharCode(byte);
      return text;
    }
    const text = decodeHuffman(bytes);
    if (text === undefined) throw new HpackError("a string that breaks the Huffman code");
    return text;
  }
}
