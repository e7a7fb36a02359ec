/** Which program forwards a node's packets. Written into the sandbox's record. */
export type DataPlaneChoice =
  | { readonly kind: "embedded" }
  | {
    readonly kind: "vpp";
    /** Path of the `vpp` binary. */
    readonly binary: string;
    /** Directory of its plugins. */
    readonly plugins: string;
    /** How the agent talks to it; else the agent chooses. */
    readonly transport?: VppTransport;
  };

/** Ways to VPP's binary API, as the agent's configuration calls them. */
export const VPP_TRANSPORTS = ["auto", "shm", "socket"] as const;
export type VppTransport = typeof VPP_TRANSPORTS[number];

/** What a data plane is given. */
export interface DataPlaneSite {
  /** Unique on this machine; lower case letters, digits and dashes. */
  readonly name: string;
  /** Directory of the node's own, which goes with the node. */
  readonly directory: string;
  /** Where it serves VPP's binary API. */
  readonly apiSocket: string;
}

/** A program that serves VPP's binary API and forwards packets, as a process of a node. */
export interface DataPlane {
  /** What people read, e.g. `contiv vswitch`. */
  readonly title: string;
  /** Program and arguments. */
  readonly command: readonly string[];
  /** What the agent's configuration must say for it, beside the socket. */
  readonly agentConfig: Readonly<Record<string, string>>;
  /** Makes ready what it needs before each start, also after it was killed. */
  prepare(): void;
  /** Removes what it leaves outside of the node's directory once it has ended. */
  cleanUp(): void;
}
