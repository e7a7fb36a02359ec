import { MAX_TRANSACTION_OPERATIONS, type Operation } from "@contiv/store";

/** Octets of values in one transaction; etcd takes 1.5 MiB with all that is around them. */
const MAX_BYTES = 512 << 10;

/** One write of a batch. */
export interface Write {
  readonly key: string;
  /** Absent: the key is deleted. */
  readonly text?: string;
}

const encoder = new TextEncoder();

/** Operations for one transaction, and the writes that they stand for. */
export class Batch {
  readonly #maxOperations: number;
  readonly writes: Write[] = [];
  readonly operations: Operation[] = [];
  #bytes = 0;

  /** @default as many as the store takes */
  constructor(maxOperations: number = MAX_TRANSACTION_OPERATIONS) {
    this.#maxOperations = maxOperations;
  }

  /** Adds a write, unless there is no room: one at least always has. */
  add(write: Write): boolean {
    const { key, text } = write;
    const value = text === undefined ? undefined : encoder.encode(text);
    const bytes = key.length + (value?.length ?? 0);
    const first = this.writes.length === 0;
    if (!first && (this.writes.length >= this.#maxOperations || this.#bytes + bytes > MAX_BYTES)) {
      return false;
    }
    this.writes.push(write);
    this.operations.push(
      value === undefined ? { type: "delete", range: { key } } : { type: "put", key, value },
    );
    this.#bytes += bytes;
    return true;
  }
}
