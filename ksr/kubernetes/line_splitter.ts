const NEWLINE = 10;

/** Cuts a stream of octets into lines of UTF-8. */
export class LineSplitter {
  readonly #maxBytes: number;
  readonly #decoder = new TextDecoder();
  #parts: Uint8Array[] = [];
  #length = 0;

  /** @param maxBytes the longest line that is kept */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Octets of a line whose end has not come. */
  get rest(): number {
    return this.#length;
  }

  /**
   * The lines that end in this chunk.
   * @throws {RangeError} if a line is too long
   */
  push(chunk: Uint8Array): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      lines.push(this.#finish(chunk.subarray(start, end)));
      start = end + 1;
    }
    if (start < chunk.length) {
      this.#parts.push(chunk.subarray(start));
      this.#length += chunk.length - start;
    }
    if (this.#length > this.#maxBytes) {
      throw new RangeError(`a line of more than ${this.#maxBytes} octets`);
    }
    return lines;
  }

  #finish(tail: Uint8Array): string {
    if (this.#length === 0) return this.#decoder.decode(tail);
    const line = new Uint8Array(this.#length + tail.length);
    let offset = 0;
    for (const part of this.#parts) {
      line.set(part, offset);
      offset += part.length;
    }
    line.set(tail, offset);
    this.#parts = [];
    this.#length = 0;
    return this.#decoder.decode(line);
  }
}
