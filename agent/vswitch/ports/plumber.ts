import { Retval } from "@contiv/vppapi";
import type { Plumbed, PlumberAnswer, PlumberCall, PlumberRequest } from "./_plumber_protocol.ts";
import { PortError } from "./port_error.ts";

/** Requests that may wait; more are refused. */
const MAX_WAITING = 1_024;

/** How long one request may take, in milliseconds, those before it included. */
const TIMEOUT_MS = 30_000;

interface Waiting {
  readonly resolve: (result: Plumbed | undefined) => void;
  readonly reject: (error: PortError) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/**
 * A thread of its own for what takes the kernel long or has to be done inside another network
 * namespace. Namespaces are a thread's, descriptors are the process's: what it opens is used here.
 * Requests are done in order. A thread that fails is replaced with the next request.
 */
export class Plumber {
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #nextId = 0;
  #closed = false;

  /** Starts the thread, which takes some 50 ms, ahead of the first request. */
  start(): void {
    this.#worker ??= this.#spawn();
  }

  /**
   * Has a request done.
   * @throws {PortError} if it failed, came too late, or too many wait
   */
  do(request: PlumberRequest): Promise<Plumbed | undefined> {
    if (this.#closed || this.#waiting.size >= MAX_WAITING) {
      const state = this.#closed ? "the plumber is closed" : `${this.#waiting.size} requests wait`;
      return Promise.reject(
        new PortError(Retval.BUSY, `Cannot plumb: ${state}, fewer than ${MAX_WAITING} wanted`),
      );
    }
    this.start();
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<Plumbed | undefined>();
    const timer = setTimeout(() => {
      this.#fail(`the thread took longer than ${TIMEOUT_MS} ms for ${request.kind}`);
    }, TIMEOUT_MS);
    this.#waiting.set(id, { resolve, reject, timer });
    this.#worker?.postMessage({ id, request } satisfies PlumberCall);
    return promise;
  }

  /** Ends the thread; what waits is refused. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#fail("the switch stops");
  }

  #spawn(): Worker {
    const worker = new Worker(new URL("./_plumber_worker.ts", import.meta.url), {
      type: "module",
      name: "plumber",
    });
    worker.onmessage = ({ data }: MessageEvent<PlumberAnswer>) => this.#take(data);
    worker.onerror = (event) => {
      event.preventDefault();
      if (worker === this.#worker) this.#fail(event.message);
    };
    return worker;
  }

  #take(answer: PlumberAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return;
    this.#waiting.delete(answer.id);
    clearTimeout(waiting.timer);
    if ("retval" in answer) waiting.reject(new PortError(answer.retval, answer.message));
    else waiting.resolve(answer.result);
  }

  #fail(reason: string): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new PortError(Retval.UNSPECIFIED, `Cannot plumb: ${reason}`));
    }
    this.#waiting.clear();
  }
}
