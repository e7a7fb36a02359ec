import type { DataPlaneChoice } from "./data_plane.ts";
import type { ProcessRecord } from "./state.ts";

/** Which program serves the store. */
export type StoreChoice = "embedded" | "etcd";

/** What a cluster has made so far; written after each step, so that `down` finds all of it. */
export interface ClusterRecord {
  /** Version of this format. */
  readonly version: 1;
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
}

/** Keeps a cluster's record in its directory. */
export class ClusterState {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  get #file(): string {
    return `${this.directory}/cluster.json`;
  }

  /** The record, or `undefined` where there is no cluster. */
  load(): ClusterRecord | undefined {
    let text: string;
    try {
      text = Deno.readTextFileSync(this.#file);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
    const record = JSON.parse(text) as ClusterRecord;
    if (record.version !== 1) {
      throw new Error(
        `Cannot read ${this.#file}: it has version ${record.version}, this contiv reads version 1`,
      );
    }
    return record;
  }

  save(record: ClusterRecord): void {
    Deno.mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    const draft = `${this.#file}.new`;
    Deno.writeTextFileSync(draft, JSON.stringify(record, null, 2) + "\n");
    Deno.renameSync(draft, this.#file);
  }

  remove(): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}
