import {
  ClusterState,
  encodeObject,
  KINDS,
  objectKey,
  STATE_PREFIX,
  syncedKey,
} from "@contiv/model";
import type { Store } from "@contiv/store";

/** Follows the cluster state as an agent does, until it is disposed. */
export class StateReader implements AsyncDisposable {
  readonly state = new ClusterState();
  readonly #watch;
  readonly #reading: Promise<void>;

  constructor(store: Pick<Store, "watch">) {
    this.#watch = store.watch({ prefix: STATE_PREFIX });
    this.#reading = this.#read();
  }

  /** All that it sees as it would be stored, by key, in the keys' order. */
  entries(): [key: string, text: string][] {
    const marks = this.state.complete
      ? KINDS.map((kind): [string, string] => [syncedKey(kind), '{"v":1}'])
      : [];
    const objects = KINDS.flatMap((kind) =>
      Array.from(this.state.objects(kind), ([id, object]): [string, string] => [
        objectKey(kind, id),
        encodeObject(kind, object),
      ])
    );
    return [...marks, ...objects].sort(([a], [b]) => a < b ? -1 : 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch.close();
    await this.#reading;
  }

  async #read(): Promise<void> {
    for await (const event of this.#watch) this.state.apply(event);
  }
}
