import type { IpAddress } from "@contiv/net";
import type { StoreHealth } from "@contiv/store";
import type { ClusterView } from "../cluster_view.ts";

/** What the writer of the cluster state says about itself. */
export interface KsrView {
  /** Who leads; `undefined` for nobody. */
  readonly leader: string | undefined;
  /** As it stands in the store; empty if it cannot be read. */
  readonly status: Readonly<Record<string, unknown>>;
}

/** An echo from one node's host to another's. */
export interface HostEcho {
  readonly from: string;
  readonly to: string;
  readonly address: IpAddress;
  readonly answered: boolean;
  /** Why not, if not for time. */
  readonly reason?: string;
}

/** An agent that answers on this machine. */
export interface LocalAgent {
  readonly node: string;
  /** Whether it has joined the cluster; until then it is busy with nothing else. */
  readonly joined: boolean;
  /** Why pods cannot be added, if so. */
  readonly unavailable: string | undefined;
  /** Why the node's ID is another node's; empty or `undefined` if it is not. */
  readonly conflict?: string | undefined;
  readonly vppConnected: boolean;
  readonly failed: readonly { readonly key: string; readonly error: string }[];
}

/** All that a diagnosis is made of. */
export interface Examination {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly health: StoreHealth;
  /** Why the store could not be read, if so: then the rest of what it holds is empty. */
  readonly storeError: string | undefined;
  readonly view: ClusterView;
  readonly ksr: KsrView;
  readonly agents: readonly LocalAgent[];
  /** Sockets on which nobody answers, and why. */
  readonly silent: ReadonlyMap<string, string>;
  readonly echoes: readonly HostEcho[];
}
