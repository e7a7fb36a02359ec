import { RpcCode, RpcError } from "./rpc_error.ts";

/** What ends a call early: its timers and its signal. */
export class CallLimit {
  /** Why the call has to end, once it has to. */
  reached: RpcError | undefined;
  /** Called once when it has to. */
  onReached: (() => void) | undefined;
  #wake: (() => void) | undefined;
  readonly #disarm: (() => void)[] = [];
  readonly #signal: AbortSignal | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    if (signal?.aborted) this.#onAbort();
    signal?.addEventListener("abort", this.#onAbort);
  }

  /** Ends the call with an error after so many milliseconds, unless it is disarmed before. */
  arm(ms: number, error: () => RpcError): () => void {
    // Not setTimeout: in Deno 2.9 its first use loads 5 ms worth of node:timers.
    const timer = AbortSignal.timeout(ms);
    const onTimeout = (): void => this.#reach(error());
    timer.addEventListener("abort", onTimeout);
    const disarm = (): void => timer.removeEventListener("abort", onTimeout);
    this.#disarm.push(disarm);
    return disarm;
  }

  /** Waits, but not beyond the limit; gives the error if it was reached. */
  async sleep(ms: number): Promise<RpcError | undefined> {
    if (this.reached) return this.reached;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, ms);
    await promise;
    clearTimeout(timer);
    return this.reached;
  }

  readonly #onAbort = (): void =>
    this.#reach(
      new RpcError(RpcCode.CANCELLED, "Cannot finish the call: it was given up, wanted a reply", {
        cause: this.#signal?.reason,
      }),
    );

  #reach(error: RpcError): void {
    if (this.reached) return;
    this.reached = error;
    this.#wake?.();
    this.onReached?.();
  }

  [Symbol.dispose](): void {
    for (const disarm of this.#disarm) disarm();
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}
