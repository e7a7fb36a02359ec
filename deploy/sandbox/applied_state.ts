import { RecordFile } from "./record_file.ts";
import type { Objects } from "./workloads/mod.ts";

/** What users have asked a cluster for, and the pods that were made of it. */
export interface AppliedRecord {
  /** Version of this format. */
  readonly version: 1;
  readonly objects: Objects;
}

/** Keeps the objects of a cluster in its directory. */
export class AppliedState extends RecordFile<AppliedRecord> {
  constructor(directory: string) {
    super(directory, "applied.json", 1);
  }
}
