import type { DataPlaneChoice } from "./data_plane.ts";
import { RecordFile } from "./record_file.ts";

/** A process of a sandbox: its id and start time, so that a reused id is never mistaken for it. */
export interface ProcessRecord {
  /** The vswitch is whatever program forwards. */
  readonly role: "vswitch" | "agent" | "store" | "ksr";
  readonly pid: number;
  /** Field 22 of /proc/PID/stat (proc_pid_stat(5)): clock ticks after boot. */
  readonly startTime: string;
}

/** A pod: a network namespace, wired by the CNI plugin. */
export interface PodRecord {
  readonly namespace: string;
  readonly name: string;
  /** Of the manifest that it was made for. */
  readonly uid?: string;
  /** CNI_CONTAINERID. */
  readonly containerId: string;
  /** CNI_NETNS. */
  readonly netns: string;
  readonly interface: string;
  /** Addresses without prefix length, as the plugin answered; empty until wired. */
  readonly addresses: readonly string[];
  /** Gateways, one per address. */
  readonly gateways: readonly string[];
}

/** A node: a network namespace with its processes and its pods. */
export interface NodeRecord {
  readonly name: string;
  readonly netns: string;
  readonly dataPlane: DataPlaneChoice;
  readonly processes: readonly ProcessRecord[];
  readonly pods: readonly PodRecord[];
}

/** What a sandbox has made so far; written before each step, so that `down` finds all of it. */
export interface SandboxRecord {
  /** Version of this format. */
  readonly version: 3;
  readonly name: string;
  readonly node: NodeRecord;
}

/** Keeps a sandbox's record in its directory. */
export class SandboxState extends RecordFile<SandboxRecord> {
  constructor(directory: string) {
    super(directory, "sandbox.json", 3);
  }
}
