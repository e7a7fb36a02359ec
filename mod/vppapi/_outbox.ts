import { ByteWriter } from "./byte_writer.ts";

/** Messages that make a batch full. */
const BATCH_MESSAGES = 256;
/** Bytes that make a batch full. */
const BATCH_BYTES = 64 * 1024;
/** Buffers kept for new batches. */
const SPARE_BUFFERS = 8;
/** A buffer that one long message made larger than this is not kept. */
const SPARE_BYTES = 4 * BATCH_BYTES;

/** Messages that go out in one write. */
export interface Batch {
  readonly writer: ByteWriter;
  /** Messages in it. */
  messages: number;
  /** Messages in it that somebody still waits for. */
  live: number;
  sent: boolean;
}

/** Bounds of an outbox. */
export interface OutboxLimits {
  /** Messages that may be written and not yet answered before writing pauses. */
  readonly window: number;
  /** Bytes that may wait to be written. */
  readonly queuedBytes: number;
}

/**
 * Gathers messages into batches and writes one batch after the other, never more than a window
 * of unanswered messages ahead. What is appended in one turn goes out together, and what is
 * appended during a write goes out with the next one.
 */
export class Outbox {
  readonly #send: (bytes: Uint8Array) => Promise<void>;
  readonly #limits: OutboxLimits;
  readonly #spare: ByteWriter[] = [];
  /** Full batches, oldest first. */
  #full: Batch[] = [];
  #open: Batch | undefined;
  #queuedBytes = 0;
  #unanswered = 0;
  #pumping = false;
  #wake: (() => void) | undefined;
  #stopped = false;
  #writes = 0;

  /** @param send writes bytes and resolves when they are taken; its failures stop the outbox */
  constructor(send: (bytes: Uint8Array) => Promise<void>, limits: OutboxLimits) {
    this.#send = send;
    this.#limits = limits;
  }

  /** Writes made so far. */
  get writes(): number {
    return this.#writes;
  }

  /** Messages written and not yet settled. */
  get unanswered(): number {
    return this.#unanswered;
  }

  /** Whether no more messages may be appended for now. */
  get full(): boolean {
    return this.#queuedBytes >= this.#limits.queuedBytes;
  }

  /** Batch that the next message is to be appended to; tell with {@linkcode added}. */
  batch(): Batch {
    return this.#open ??= {
      writer: this.#spare.pop() ?? new ByteWriter(BATCH_BYTES + 4096),
      messages: 0,
      live: 0,
      sent: false,
    };
  }

  /**
   * `messages` were appended to the open batch; with `live`, an answer to them is awaited and
   * will be reported with {@linkcode settled}, once.
   */
  added(batch: Batch, messages: number, live: boolean): void {
    batch.messages += messages;
    if (live) batch.live++;
    if (batch.messages >= BATCH_MESSAGES || batch.writer.length >= BATCH_BYTES) {
      this.#queuedBytes += batch.writer.length;
      this.#full.push(batch);
      this.#open = undefined;
    }
    if (this.#pumping || this.#stopped) return;
    this.#pumping = true;
    queueMicrotask(() => void this.#pump());
  }

  /** Nobody waits any more for one message of this batch. */
  settled(batch: Batch): void {
    batch.live--;
    if (!batch.sent) return;
    this.#unanswered--;
    if (this.#unanswered < this.#limits.window) this.#wake?.();
  }

  /** Drops what is not written yet. */
  stop(): void {
    this.#stopped = true;
    this.#full = [];
    this.#open = undefined;
    this.#wake?.();
  }

  async #pump(): Promise<void> {
    try {
      for (let batch = this.#next(); batch !== undefined; batch = this.#next()) {
        batch.sent = true;
        this.#unanswered += batch.live;
        this.#writes++;
        await this.#send(batch.writer.view());
        this.#recycle(batch.writer);
        while (this.#unanswered >= this.#limits.window && !this.#stopped) {
          await new Promise<void>((resolve) => this.#wake = resolve);
        }
      }
    } catch {
      // The transport reports its end to the owner, who then fails every call.
      this.stop();
    } finally {
      this.#pumping = false;
    }
  }

  #next(): Batch | undefined {
    if (this.#stopped) return undefined;
    const full = this.#full.shift();
    if (full !== undefined) {
      this.#queuedBytes -= full.writer.length;
      return full;
    }
    const open = this.#open;
    this.#open = undefined;
    return open !== undefined && open.messages > 0 ? open : undefined;
  }

  #recycle(writer: ByteWriter): void {
    if (this.#spare.length >= SPARE_BUFFERS || writer.bytes.length > SPARE_BYTES) return;
    writer.clear();
    this.#spare.push(writer);
  }
}
