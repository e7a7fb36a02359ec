import type { Logger } from "@contiv/log";
import {
  encodeVswitchAgent,
  nodeIdKey,
  objectKey,
  type VswitchAgent,
  vswitchAgentKey,
} from "@contiv/model";
import type { Condition, Lease, Store } from "@contiv/store";
import { sleep } from "../sleep.ts";

export interface AgentBeaconOptions {
  readonly store: Pick<Store, "lease" | "transact">;
  readonly node: { readonly name: string; readonly id: number };
  /** How the agent fares at the moment. */
  readonly state: () => VswitchAgent;
  readonly log: Logger;
  /** Milliseconds between looks at it. @default 1000 */
  readonly intervalMs?: number;
  /** Seconds after which an agent that is not heard any more counts as gone. @default 15 */
  readonly ttlSeconds?: number;
}

/**
 * Tells in the store how the agent fares, under a lease: what it tells goes with it. Written when it
 * changes, at most once an interval; for a node that holds its ID or, of one that lost it to another,
 * as long as Kubernetes has it.
 */
export class AgentBeacon {
  readonly #options: AgentBeaconOptions;
  readonly #stop = new AbortController();
  #lease: Lease | undefined;
  #told: string | undefined;
  #problem: string | undefined;

  constructor(options: AgentBeaconOptions) {
    this.#options = options;
  }

  /** Why it is not told, if so. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** What was told may be lost: it is told again. */
  repeat(): void {
    this.#told = undefined;
  }

  /** Runs until {@link close}. */
  async run(): Promise<void> {
    const { intervalMs = 1_000, log } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#tell();
        this.#problem = undefined;
      } catch (error) {
        if (signal.aborted) break;
        const message = error instanceof Error ? error.message : String(error);
        if (this.#problem !== message) log.debug("agent not announced yet", { error: message });
        this.#problem = message;
        this.#told = undefined;
      }
      await sleep(intervalMs, signal);
    }
    // At once, not only after the lease's time. A store that is away learns it then.
    if (this.#lease?.lost.aborted === false) await this.#lease.revoke().catch(() => {});
  }

  close(): void {
    this.#stop.abort();
  }

  async #tell(): Promise<void> {
    const { node: { id, name }, state, store, ttlSeconds = 15 } = this.#options;
    const { signal } = this.#stop;
    if (this.#lease === undefined || this.#lease.lost.aborted) {
      this.#told = undefined;
      this.#lease = await store.lease(ttlSeconds, { signal });
    }
    const now = state();
    const text = encodeVswitchAgent(now);
    if (text === this.#told) return;
    const encoder = new TextEncoder();
    const isThere: Condition = now.conflict === ""
      ? { key: nodeIdKey(id), value: encoder.encode(name) }
      : { key: objectKey("nodes", name), relation: "greater", createRevision: 0 };
    const { succeeded } = await store.transact({
      if: [isThere],
      then: [{
        type: "put",
        key: vswitchAgentKey(name),
        value: encoder.encode(text),
        lease: this.#lease.id,
      }],
    }, { signal });
    if (!succeeded) throw new Error(`Cannot announce ${name}: it is no member with ID ${id}`);
    this.#told = text;
  }
}
