import type { DataPlaneChoice } from "./data_plane.ts";
import { RecordFile } from "./record_file.ts";
import type { ProcessRecord } from "./state.ts";

/** Which program serves the store. */
export type StoreChoice = "embedded" | "etcd";

/** What a node's agent tells of its place. */
export interface NodePlace {
  readonly id: number;
  /** Prefixes of its pods, and of the link with its host. */
  readonly pods: readonly string[];
  readonly hostLinks: readonly string[];
  /** The host's addresses on that link. */
  readonly host: readonly string[];
  /** With the lengths of their subnets. */
  readonly uplink: readonly string[];
}

/** What a cluster has made so far; written after each step, so that `down` finds all of it. */
export interface ClusterRecord {
  /** Version of this format. */
  readonly version: 2;
  readonly name: string;
  /** The directory that network namespaces are named in. */
  readonly namespaces: string;
  readonly dataPlane: DataPlaneChoice;
  readonly store: StoreChoice;
  /** Of uplinks. */
  readonly mtu: number;
  /** The cluster's own: store and KSR. */
  readonly processes: readonly ProcessRecord[];
  /** Numbers of the nodes; each has a record of its own. */
  readonly nodes: readonly number[];
  /** Of the nodes that are up, by name. */
  readonly places: Readonly<Record<string, NodePlace>>;
}

/** Keeps a cluster's record in its directory. */
export class ClusterState extends RecordFile<ClusterRecord> {
  constructor(directory: string) {
    super(directory, "cluster.json", 2);
  }
}
