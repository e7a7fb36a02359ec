import type { IpAddress } from "@contiv/net";
import { IpamError } from "./error.ts";
import type { NodePrefix } from "./node_prefix.ts";

/**
 * Released addresses that are remembered before the oldest is given out again although untouched
 * ones are left. Bounds the memory of a large IPv6 prefix.
 */
const MAX_RESTING = 65_536;

/**
 * Hands out one node prefix's pod addresses; a released address is reused last.
 *
 * Offsets from the first pod address are walked once round, from behind the highest reserved one,
 * past those in use; when the walk has come round, released addresses follow in the order of their
 * release. Each offset is passed at most once, so an allocation costs O(1) on average, and memory
 * grows with addresses touched, never with the prefix.
 */
export class AddressPool {
  readonly #layout: NodePrefix;
  readonly #base: bigint;
  readonly #used = new Set<bigint>();
  /** Released offsets, in order of release. */
  readonly #resting = new Set<bigint>();
  #walkedTo = 0n;
  /** Offsets that the walk has yet to pass. */
  #unwalked: bigint;

  constructor(layout: NodePrefix) {
    this.#layout = layout;
    this.#base = layout.firstPod.toBigInt();
    this.#unwalked = layout.capacity;
  }

  get layout(): NodePrefix {
    return this.#layout;
  }

  /** Addresses handed out. */
  get used(): number {
    return this.#used.size;
  }

  /** @throws {IpamError} EXHAUSTED */
  allocate(): IpAddress {
    const offset = this.#resting.size >= MAX_RESTING
      ? this.#longestResting()
      : this.#untouched() ?? this.#longestResting();
    if (offset === undefined) {
      const { prefix, capacity } = this.#layout;
      throw new IpamError(
        "EXHAUSTED",
        `Cannot allocate an address of ${prefix}: all ${capacity} are in use, wanted a free one`,
      );
    }
    this.#resting.delete(offset);
    this.#used.add(offset);
    return this.#layout.firstPod.add(offset);
  }

  /**
   * Marks an address as handed out.
   * @throws {IpamError} OUTSIDE if no pod may have it, TAKEN
   */
  reserve(address: IpAddress): void {
    if (!this.#layout.isPodAddress(address)) {
      const { firstPod, lastPod } = this.#layout;
      throw new IpamError(
        "OUTSIDE",
        `Cannot reserve ${address}: no pod address of ${this.#layout.prefix}, ` +
          `wanted one from ${firstPod} to ${lastPod}`,
      );
    }
    const offset = this.#offset(address);
    if (this.#used.has(offset)) {
      throw new IpamError(
        "TAKEN",
        `Cannot reserve ${address}: it is in use, wanted a free address`,
      );
    }
    this.#resting.delete(offset);
    this.#used.add(offset);
    // What was released before a rebuild is not known; it lay below the highest address in use.
    const untouched = this.#unwalked === this.#layout.capacity;
    if (untouched && offset >= this.#walkedTo) this.#walkedTo = (offset + 1n) % this.#unwalked;
  }

  /** Takes an address back. One that is not handed out is left alone. */
  release(address: IpAddress): void {
    if (!this.#layout.isPodAddress(address)) return;
    const offset = this.#offset(address);
    if (this.#used.delete(offset)) this.#resting.add(offset);
  }

  has(address: IpAddress): boolean {
    return this.#layout.isPodAddress(address) && this.#used.has(this.#offset(address));
  }

  #offset(address: IpAddress): bigint {
    return address.toBigInt() - this.#base;
  }

  /** Walks on to the next offset that is neither in use nor resting. */
  #untouched(): bigint | undefined {
    while (this.#unwalked > 0n) {
      const offset = this.#walkedTo;
      this.#walkedTo = (offset + 1n) % this.#layout.capacity;
      this.#unwalked--;
      if (!this.#used.has(offset) && !this.#resting.has(offset)) return offset;
    }
    return undefined;
  }

  #longestResting(): bigint | undefined {
    for (const offset of this.#resting) return offset;
    return undefined;
  }
}
