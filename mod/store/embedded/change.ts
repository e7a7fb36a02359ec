import type { Buffer } from "node:buffer";
import { Event, EventType, type KeyValue } from "./wire/messages.ts";

/** What one operation did to one key. */
export class Change {
  readonly revision: number;
  /** As it stands now; of a deleted key only `key` and `modRevision` count. */
  readonly kv: KeyValue;
  readonly deleted: boolean;
  readonly previous: KeyValue | undefined;
  #event: Buffer | undefined;
  #eventWithPrevious: Buffer | undefined;

  constructor(kv: KeyValue, deleted: boolean, previous: KeyValue | undefined) {
    this.revision = kv.modRevision;
    this.kv = kv;
    this.deleted = deleted;
    this.previous = previous;
  }

  /** Octets of its key and values. */
  get bytes(): number {
    return this.kv.key.length + this.kv.value.length + (this.previous?.value.length ?? 0);
  }

  /** The encoded event, made once for all watches. */
  encode(withPrevious: boolean): Buffer {
    if (withPrevious && this.previous !== undefined) {
      return this.#eventWithPrevious ??= this.#encode(this.previous);
    }
    return this.#event ??= this.#encode(undefined);
  }

  #encode(prevKv: KeyValue | undefined): Buffer {
    const type = this.deleted ? EventType.DELETE : EventType.PUT;
    return Event.encode({ type, kv: this.kv, prevKv });
  }
}

const NO_BYTES = new Uint8Array();

/** What stands for a key that is gone. */
export function tombstone(key: Uint8Array, modRevision: number): KeyValue {
  return { key, createRevision: 0, modRevision, version: 0, value: NO_BYTES, lease: 0n };
}
