const SLOTS = 64;
/** VPP's limits: fragments of one packet, and how long the rest may take. */
const MAX_FRAGMENTS = 3;
const TIMEOUT_MS = 200;
const SLOT_OCTETS = 0x10000;

class Slot {
  used = false;
  startedMs = 0;
  /** Addresses, protocol and identification as numbers. */
  readonly key = new Int32Array(10);
  /** Payload octets by their offset; allocated when the slot is first used. */
  payload: Uint8Array | undefined;
  readonly starts = new Int32Array(MAX_FRAGMENTS);
  readonly ends = new Int32Array(MAX_FRAGMENTS);
  fragments = 0;
  received = 0;
  /** Octets of the whole payload, once the last fragment came; else -1. */
  total = -1;
}

export const ReassemblyResult = {
  /** Kept; more are to come. */
  WAIT: 0,
  /** Whole: read it from `payload`. */
  DONE: 1,
  TOO_MANY: 2,
  FULL: 3,
  MALFORMED: 4,
} as const;

/** Puts fragments to this node together. A fixed number at a time, none for long. */
export class Reassembly {
  /** The key of the fragment at hand, to be filled by the caller before {@link add}. */
  readonly key = new Int32Array(10);
  /** The whole payload after DONE, valid until the next call. */
  payload: Uint8Array = new Uint8Array(0);
  length = 0;
  /** Given up since the last look. */
  timeouts = 0;
  readonly #slots = Array.from({ length: SLOTS }, () => new Slot());
  #used = 0;

  /**
   * Takes a fragment's payload.
   * @param at where it belongs in the whole payload
   * @param more whether it is not the last one
   */
  add(
    buffer: Uint8Array,
    from: number,
    length: number,
    at: number,
    more: boolean,
    nowMs: number,
  ): number {
    if (length <= 0 || at + length > 0xffff || (more && length % 8 !== 0)) {
      return ReassemblyResult.MALFORMED;
    }
    const slot = this.#find() ?? this.#begin(nowMs);
    if (slot === undefined) return ReassemblyResult.FULL;
    const end = at + length;
    const overlaps = this.#overlaps(slot, at, end) || (slot.total >= 0 && end > slot.total) ||
      (!more && slot.total >= 0 && slot.total !== end);
    if (overlaps || slot.fragments === MAX_FRAGMENTS) {
      this.#end(slot);
      return overlaps ? ReassemblyResult.MALFORMED : ReassemblyResult.TOO_MANY;
    }
    slot.payload ??= new Uint8Array(SLOT_OCTETS);
    slot.payload.set(buffer.subarray(from, from + length), at);
    slot.starts[slot.fragments] = at;
    slot.ends[slot.fragments++] = end;
    slot.received += length;
    if (!more) slot.total = end;
    if (slot.received !== slot.total) return ReassemblyResult.WAIT;
    this.payload = slot.payload;
    this.length = slot.total;
    this.#end(slot);
    return ReassemblyResult.DONE;
  }

  /** Gives up what took too long. */
  expire(nowMs: number): void {
    if (this.#used === 0) return;
    for (const slot of this.#slots) {
      if (slot.used && nowMs - slot.startedMs > TIMEOUT_MS) {
        this.#end(slot);
        this.timeouts++;
      }
    }
  }

  #find(): Slot | undefined {
    if (this.#used === 0) return undefined;
    for (const slot of this.#slots) {
      if (slot.used && slot.key.every((word, i) => word === this.key[i])) return slot;
    }
    return undefined;
  }

  #begin(nowMs: number): Slot | undefined {
    this.expire(nowMs);
    const slot = this.#slots.find((one) => !one.used);
    if (slot === undefined) return undefined;
    slot.used = true;
    slot.startedMs = nowMs;
    slot.key.set(this.key);
    slot.fragments = 0;
    slot.received = 0;
    slot.total = -1;
    this.#used++;
    return slot;
  }

  #end(slot: Slot): void {
    slot.used = false;
    this.#used--;
  }

  #overlaps(slot: Slot, start: number, end: number): boolean {
    for (let i = 0; i < slot.fragments; i++) {
      if (start < slot.ends[i]! && slot.starts[i]! < end) return true;
    }
    return false;
  }
}
