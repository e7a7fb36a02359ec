/**
 * Growing byte buffer that encoders write into. Reserve first, then write to `bytes` in place;
 * growing replaces `bytes`, so read it anew after every `reserve`.
 */
export class ByteWriter {
  /** Backing store; the first `length` bytes are written. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Number of bytes written so far. */
  length = 0;

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Appends `size` bytes of unspecified content and returns the offset of the first. */
  reserve(size: number): number {
    const start = this.length;
    const end = start + size;
    if (end > this.bytes.length) this.#grow(end);
    this.length = end;
    return start;
  }

  /** Written bytes as a view that is valid until the next `reserve` or `clear`. */
  view(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.length);
  }

  /** Forgets what was written and keeps the buffer. */
  clear(): void {
    this.length = 0;
  }

  #grow(wanted: number): void {
    const grown = new Uint8Array(Math.max(wanted, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}
