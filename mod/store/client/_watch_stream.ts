import type { Etcd3, IWatchRequest, IWatchResponse, WatchClient } from "etcd3";
import { StoreError } from "../store_error.ts";
import { codeOfText, toStoreError } from "./_errors.ts";
import { within } from "./_timing.ts";

/** Replies that wait for the reader before the server is made to wait. */
const MAX_WAITING = 16;

type Duplex = Awaited<ReturnType<WatchClient["watch"]>> & {
  pause(): void;
  resume(): void;
};

/** One Watch call of etcd with one watch in it, read one reply at a time. */
export class WatchStream {
  readonly #goal: string;
  readonly #stream: Duplex;
  readonly #waiting: IWatchResponse[] = [];
  #paused = false;
  #error: StoreError | undefined;
  #wake: (() => void) | undefined;

  private constructor(goal: string, stream: Duplex) {
    this.#goal = goal;
    this.#stream = stream;
    stream.on("data", (reply) => {
      this.#waiting.push(reply);
      if (this.#waiting.length >= MAX_WAITING && !this.#paused) {
        this.#paused = true;
        stream.pause();
      }
      this.#wake?.();
    });
    stream.on("error", (error) => this.#fail(toStoreError(error, goal, false)));
    stream.on("end", () => this.#fail(ended(goal)));
  }

  /** @throws {StoreError} */
  static async open(
    etcd: Etcd3,
    goal: string,
    create: IWatchRequest["create_request"],
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<WatchStream> {
    // What comes too late is thrown away, so that no stream is left open.
    let given = false;
    const opening = etcd.watchClient.watch().then((stream) => {
      // Without a listener, an error of a stream that nobody reads would end the process.
      stream.on("error", () => {});
      if (given) stream.cancel();
      return stream;
    });
    try {
      const stream = await within(
        opening,
        timeoutMs,
        () => late(goal, timeoutMs),
        signal,
        () => stopped(goal),
      );
      const watch = new WatchStream(goal, stream as Duplex);
      stream.write({ create_request: create } as IWatchRequest);
      return watch;
    } catch (error) {
      given = true;
      throw toStoreError(error, goal, false);
    }
  }

  /**
   * The next reply, or undefined if none came in time or the signal was aborted.
   * @throws {StoreError} when the stream has ended, or the store cancelled the watch
   */
  async next(timeoutMs: number, signal: AbortSignal): Promise<IWatchResponse | undefined> {
    if (this.#waiting.length === 0 && this.#error === undefined && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = setTimeout(resolve, timeoutMs);
      signal.addEventListener("abort", resolve as () => void, { once: true });
      await promise;
      signal.removeEventListener("abort", resolve as () => void);
      clearTimeout(timer);
      this.#wake = undefined;
    }
    const reply = this.#waiting.shift();
    if (reply === undefined) {
      if (this.#error !== undefined) throw this.#error;
      return undefined;
    }
    if (this.#paused && this.#waiting.length < MAX_WAITING / 2) {
      this.#paused = false;
      this.#stream.resume();
    }
    if (reply.canceled) throw this.#cancelled(reply);
    return reply;
  }

  close(): void {
    this.#fail(stopped(this.#goal));
    this.#stream.cancel();
  }

  #fail(error: StoreError): void {
    this.#error ??= error;
    this.#wake?.();
  }

  #cancelled({ compact_revision, cancel_reason }: IWatchResponse): StoreError {
    if (Number(compact_revision) > 0) {
      return new StoreError(
        "COMPACTED",
        `Cannot ${this.#goal}: changes before revision ${compact_revision} are no longer kept, ` +
          "all changes wanted",
      );
    }
    const code = codeOfText(cancel_reason) ?? "UNAVAILABLE";
    const reason = cancel_reason || "the store cancelled the watch";
    return new StoreError(code, `Cannot ${this.#goal}: ${reason}, changes wanted`);
  }
}

function ended(goal: string): StoreError {
  return new StoreError(
    "UNAVAILABLE",
    `Cannot ${goal}: the store ended the stream, an open one wanted`,
  );
}

function late(goal: string, timeoutMs: number): StoreError {
  return new StoreError(
    "DEADLINE",
    `Cannot ${goal}: no stream within ${timeoutMs} ms, one wanted`,
  );
}

function stopped(goal: string): StoreError {
  return new StoreError("ABORTED", `Cannot ${goal}: the watch is closed, an open one wanted`);
}
