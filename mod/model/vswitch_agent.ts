import { flag, integer, list, name, object, type Shape, text } from "./_codecs.ts";

/** An item that could not be applied. */
export interface FailedItem {
  readonly key: string;
  readonly error: string;
}

/** How a node's agent fares. It stands in the store for as long as the agent lives. */
export interface VswitchAgent {
  readonly node: string;
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Why pods cannot be added at the moment; empty if they can. */
  readonly unavailable: string;
  /** Why the node's ID is another node's, so that it is no member; empty if it is its own. */
  readonly conflict: string;
  /** Whether VPP is connected, and its version; empty while it is away. */
  readonly vppConnected: boolean;
  readonly vpp: string;
  /** How many other nodes it has joined. */
  readonly peers: number;
  /** The first of the items that failed, and how many there are. */
  readonly failed: readonly FailedItem[];
  readonly failedCount: number;
}

const count = integer(0, Number.MAX_SAFE_INTEGER);

export const VSWITCH_AGENT: Shape<VswitchAgent, "node"> = object({
  pid: count,
  startedAt: count,
  unavailable: text,
  conflict: text,
  vppConnected: flag,
  vpp: text,
  peers: count,
  failed: list(object<FailedItem, never>({ key: name, error: text })),
  failedCount: count,
});
