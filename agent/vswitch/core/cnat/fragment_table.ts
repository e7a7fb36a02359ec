import { mix2, mix5 } from "../tables/hash.ts";
import { FRAGMENT_KEY_WORDS, isSameDatagram } from "./fragment.ts";

/** As long as a Linux host waits for the rest of a datagram (RFC 791: 15 s and more; RFC 8200: 60). */
export const FRAGMENT_LIFETIME_MS = 30_000;
const WAYS = 4;

/**
 * Whose flow datagrams in fragments are of, learned from their first fragments. Of a fixed size:
 * where a set is full, its oldest goes, so that a flood costs others only what it outruns between
 * their first fragment and their last.
 */
export class FragmentTable {
  /** The key of the fragment at hand, to be filled by the caller. */
  readonly key = new Int32Array(FRAGMENT_KEY_WORDS);
  /** By entry: the flow's value, as the flow table finds it, or NO_FLOW. */
  readonly flows: Int32Array;
  /** By entry: the generation of its flow's number. */
  readonly generations: Uint32Array;
  /** By entry: the IPv4 identification that its datagram leaves under once translated. */
  readonly identifications: Uint16Array;
  /** Entries that went before their time. */
  displaced = 0;
  readonly #keys: Int32Array;
  readonly #bornMs: Float64Array;
  readonly #sets: number;

  /** @param sets of four datagrams each; a power of two */
  constructor(sets = 1024) {
    const entries = sets * WAYS;
    this.#sets = sets;
    this.flows = new Int32Array(entries);
    this.generations = new Uint32Array(entries);
    this.identifications = new Uint16Array(entries);
    this.#keys = new Int32Array(entries * FRAGMENT_KEY_WORDS);
    this.#bornMs = new Float64Array(entries).fill(-Infinity);
  }

  /** @returns the entry of the key at hand, or -1 */
  find(nowMs: number): number {
    const first = this.#firstOfSet();
    for (let entry = first; entry < first + WAYS; entry++) {
      if (this.#isAlive(entry, nowMs) && this.#matches(entry)) return entry;
    }
    return -1;
  }

  /** @returns an entry for the key at hand, which has none */
  add(nowMs: number): number {
    const first = this.#firstOfSet();
    let oldest = first;
    for (let entry = first + 1; entry < first + WAYS; entry++) {
      if (this.#bornMs[entry]! < this.#bornMs[oldest]!) oldest = entry;
    }
    if (this.#isAlive(oldest, nowMs)) this.displaced++;
    this.#keys.set(this.key, oldest * FRAGMENT_KEY_WORDS);
    this.#bornMs[oldest] = nowMs;
    return oldest;
  }

  /** Lets an entry live on, as its datagram's identification was used again. */
  renew(entry: number, nowMs: number): void {
    this.#bornMs[entry] = nowMs;
  }

  #isAlive(entry: number, nowMs: number): boolean {
    return nowMs - this.#bornMs[entry]! <= FRAGMENT_LIFETIME_MS;
  }

  #matches(entry: number): boolean {
    return isSameDatagram(this.#keys, entry * FRAGMENT_KEY_WORDS, this.key);
  }

  #firstOfSet(): number {
    const { key } = this;
    const hash = mix2(
      mix5(key[0]!, key[1]!, key[2]!, key[3]!, key[9]!),
      mix5(key[4]!, key[5]!, key[6]!, key[7]!, key[8]!),
    );
    return (hash & this.#sets - 1) * WAYS;
  }
}
