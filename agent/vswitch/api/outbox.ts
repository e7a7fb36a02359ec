import { ByteWriter } from "@contiv/vppapi";

/** How much an {@link Outbox} holds, and how long it waits. */
export interface OutboxLimits {
  /** Octets above which {@link Outbox.room} waits. @default 262144 */
  readonly highWater: number;
  /** Octets above which the client counts as not reading. @default 8388608 */
  readonly limit: number;
  /** Milliseconds for which a client may read nothing at all. @default 10000 */
  readonly stallMs: number;
}

const DEFAULTS: OutboxLimits = { highWater: 256 * 1024, limit: 8 * 1024 * 1024, stallMs: 10_000 };

/**
 * What is to be written to one client. Answers gather while a write is under way and leave with
 * the next one. A client that does not read is given up: `onFailure` is called once, with the
 * reason, and everything that is left is dropped.
 */
export class Outbox {
  readonly #write: (bytes: Uint8Array) => Promise<number>;
  readonly #onFailure: (error: Error) => void;
  readonly #limits: OutboxLimits;
  #gathering = new ByteWriter(1024);
  #leaving = new ByteWriter(1024);
  #inFlight = 0;
  #flushing: Promise<void> | undefined;
  #room: PromiseWithResolvers<void> | undefined;
  #corked = false;
  #closed = false;

  constructor(
    write: (bytes: Uint8Array) => Promise<number>,
    onFailure: (error: Error) => void,
    limits: Partial<OutboxLimits> = {},
  ) {
    this.#write = write;
    this.#onFailure = onFailure;
    this.#limits = { ...DEFAULTS, ...limits };
  }

  /** Octets not yet taken by the client. */
  get size(): number {
    return this.#gathering.length + this.#inFlight;
  }

  /** Whether {@link Outbox.room} would wait. */
  get full(): boolean {
    return this.size > this.#limits.highWater;
  }

  /**
   * Lets `encode` append whole frames, and starts to write them after the current turn, or when
   * uncorked.
   */
  append(encode: (writer: ByteWriter) => void): void {
    if (this.#closed) return;
    encode(this.#gathering);
    if (this.size > this.#limits.limit) {
      this.#fail(
        new Error(
          `Cannot queue an answer: ${this.size} octets wait for a client that does not read, ` +
            `at most ${this.#limits.limit} wanted`,
        ),
      );
      return;
    }
    if (!this.#corked) this.#start();
  }

  /** Lets answers gather: a write costs more than many of them. */
  cork(): void {
    this.#corked = true;
  }

  /** Starts to write what has gathered. */
  uncork(): void {
    this.#corked = false;
    if (this.#gathering.length > 0) this.#start();
  }

  /** Resolves at once, or when less than the high-water mark is waiting, or at the end. */
  async room(): Promise<void> {
    while (!this.#closed && this.full) {
      this.#room ??= Promise.withResolvers();
      await this.#room.promise;
    }
  }

  /** Resolves when everything was written, or given up. */
  async drained(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing;
  }

  /** Drops what is left and takes nothing more. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#gathering.clear();
    this.#wake();
  }

  #start(): void {
    this.#flushing ??= Promise.resolve().then(() => this.#flush());
  }

  async #flush(): Promise<void> {
    try {
      while (!this.#closed && !this.#corked && this.#gathering.length > 0) {
        const writer = this.#gathering;
        this.#gathering = this.#leaving;
        this.#leaving = writer;
        await this.#writeAll(writer.view());
        writer.clear();
        this.#wake();
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#inFlight = 0;
      this.#flushing = undefined;
    }
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    this.#inFlight = bytes.length;
    let stalled: ReturnType<typeof setTimeout> | undefined;
    try {
      for (let at = 0; at < bytes.length && !this.#closed;) {
        const { promise, reject } = Promise.withResolvers<never>();
        stalled = setTimeout(() =>
          reject(
            new Error(
              `Cannot write to client: it took nothing for ${this.#limits.stallMs} ms, ` +
                `${this.#inFlight} octets wait`,
            ),
          ), this.#limits.stallMs);
        const written = await Promise.race([this.#write(bytes.subarray(at)), promise]);
        clearTimeout(stalled);
        at += written;
        this.#inFlight = bytes.length - at;
      }
    } finally {
      clearTimeout(stalled);
    }
  }

  #fail(error: Error): void {
    if (this.#closed) return;
    this.close();
    this.#onFailure(error);
  }

  #wake(): void {
    if (!this.#closed && this.full) return;
    this.#room?.resolve();
    this.#room = undefined;
  }
}
