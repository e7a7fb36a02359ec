const decoder = new TextDecoder();

/** Octets of one text that arrive in parts. */
export class Gatherer {
  readonly #maxBytes: number;
  #parts: Uint8Array[] = [];
  #length = 0;

  /** @param maxBytes the longest text that is kept */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#length;
  }

  /**
   * Keeps a part, which must not change any more.
   * @throws {RangeError} if the text is too long
   */
  add(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#parts.push(part);
    this.#length += part.length;
    if (this.#length > this.#maxBytes) {
      throw new RangeError(`a text of more than ${this.#maxBytes} octets`);
    }
  }

  /** The text, which ends with `tail`; nothing is kept. */
  take(tail: Uint8Array): string {
    if (this.#length === 0) return decoder.decode(tail);
    const whole = new Uint8Array(this.#length + tail.length);
    let offset = 0;
    for (const part of [...this.#parts, tail]) {
      whole.set(part, offset);
      offset += part.length;
    }
    this.#parts = [];
    this.#length = 0;
    return decoder.decode(whole);
  }
}
