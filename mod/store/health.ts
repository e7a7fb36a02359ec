/** One endpoint as it answered, or did not. */
export interface EndpointHealth {
  readonly endpoint: string;
  readonly healthy: boolean;
  /** Why not, as a sentence. */
  readonly reason?: string;
  /** The server's version, such as `3.4.23`. */
  readonly version?: string;
  readonly revision?: number;
  /** Octets on its disk. */
  readonly sizeBytes?: number;
  /** Milliseconds until it answered. */
  readonly latencyMs?: number;
}

export interface StoreHealth {
  /** Whether any endpoint answers reads that need a leader. */
  readonly healthy: boolean;
  /** In decimal; absent if none answered. */
  readonly clusterId?: string;
  /** In the order of the configuration. */
  readonly endpoints: readonly EndpointHealth[];
}
