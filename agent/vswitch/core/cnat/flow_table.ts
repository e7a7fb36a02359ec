import { mix2, mix5 } from "../tables/hash.ts";
import { DESTINATION, PORTS, SOURCE, TUPLE_WORDS } from "./tuple.ts";

/** No flow. */
export const NO_FLOW = -1;
const EMPTY = -1;
const SMALLEST = 256;
/** A flow's tuples: as its packets come in, after the input's, after the output's translation. */
export const ORIGINAL = 0;
export const MIDDLE = TUPLE_WORDS;
export const FINAL = 2 * TUPLE_WORDS;
const STRIDE = 3 * TUPLE_WORDS;

/**
 * Flows, each with three tuples, and keys by which packets of both directions find them: the
 * original tuple, and the final one turned round. Open addressing over numbers; bounded.
 */
export class FlowTable {
  /** Tuples of all flows; {@link FlowTable.at} tells where one's begin. */
  tuples = new Int32Array(SMALLEST * STRIDE);
  /** By flow: what its tuples are of, 0 while there is none. */
  kinds = new Uint16Array(SMALLEST);
  /** By flow: seconds without a packet after which it is forgotten. */
  lifetimes = new Uint16Array(SMALLEST);
  /** By flow: when its last packet came, on the data plane's clock. */
  lastMs = new Float64Array(SMALLEST);
  /** By flow: how many flows its number had before. */
  generations = new Uint32Array(SMALLEST);
  /** By flow: bits of {@link FlowFlag}. */
  flags = new Uint8Array(SMALLEST);
  /** Flow, and whether by its return tuple in the lowest bit. */
  #slots = new Int32Array(4 * SMALLEST).fill(EMPTY);
  #keys = 0;
  #used = 0;
  readonly #free: number[] = [];
  readonly #most: number;
  readonly #turned = new Int32Array(TUPLE_WORDS);

  /** @param most flows at once */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#used - this.#free.length;
  }

  /** Flows have numbers below this. */
  get end(): number {
    return this.#used;
  }

  /** Where the tuples of a flow begin. */
  at(flow: number): number {
    return flow * STRIDE;
  }

  /** @returns twice the flow, plus 1 if the tuple is of its return; or {@link NO_FLOW} */
  find(tuple: Int32Array, kind: number): number {
    const mask = this.#slots.length - 1;
    let slot = hashOf(tuple, 0, kind) & mask;
    for (;;) {
      const value = this.#slots[slot]!;
      if (value === EMPTY) return NO_FLOW;
      const flow = value >> 1;
      if (this.kinds[flow] === kind && this.#matches(flow, (value & 1) !== 0, tuple)) return value;
      slot = slot + 1 & mask;
    }
  }

  /** A new flow, whose tuples are all this one; or {@link NO_FLOW} if there are too many. */
  add(tuple: Int32Array, kind: number, nowMs: number, lifetime: number): number {
    const flow = this.#allocate();
    if (flow === NO_FLOW) return NO_FLOW;
    for (const offset of [ORIGINAL, MIDDLE, FINAL]) this.tuples.set(tuple, flow * STRIDE + offset);
    this.kinds[flow] = kind;
    this.flags[flow] = 0;
    this.lifetimes[flow] = lifetime;
    this.lastMs[flow] = nowMs;
    this.#insert(flow << 1);
    return flow;
  }

  /**
   * Lets answers find a flow, by its final tuple turned round.
   * @returns the flow that answers with this tuple found so far, or {@link NO_FLOW}
   */
  addReturn(flow: number): number {
    const turned = this.#turned;
    turn(this.tuples, flow * STRIDE + FINAL, turned);
    const known = this.find(turned, this.kinds[flow]!);
    if (known !== NO_FLOW) return known >> 1;
    this.flags[flow]! |= FlowFlag.HAS_RETURN;
    this.#insert(flow << 1 | 1);
    return NO_FLOW;
  }

  /** Forgets a flow and its keys. */
  remove(flow: number): void {
    if (this.kinds[flow] === 0) return;
    this.#erase(flow << 1);
    if (this.flags[flow]! & FlowFlag.HAS_RETURN) this.#erase(flow << 1 | 1);
    this.kinds[flow] = 0;
    this.generations[flow]!++;
    this.#free.push(flow);
  }

  #matches(flow: number, isReturn: boolean, tuple: Int32Array): boolean {
    const { tuples } = this;
    const at = flow * STRIDE + (isReturn ? FINAL : ORIGINAL);
    const [source, destination] = isReturn ? [DESTINATION, SOURCE] : [SOURCE, DESTINATION];
    const ports = tuples[at + PORTS]!;
    if (tuple[PORTS] !== (isReturn ? ports << 16 | ports >>> 16 : ports)) return false;
    for (let i = 3; i >= 0; i--) {
      if (tuple[SOURCE + i] !== tuples[at + source + i]) return false;
      if (tuple[DESTINATION + i] !== tuples[at + destination + i]) return false;
    }
    return true;
  }

  #hash(value: number): number {
    const flow = value >> 1;
    const kind = this.kinds[flow]!;
    if ((value & 1) === 0) return hashOf(this.tuples, flow * STRIDE + ORIGINAL, kind);
    turn(this.tuples, flow * STRIDE + FINAL, this.#turned);
    return hashOf(this.#turned, 0, kind);
  }

  #insert(value: number): void {
    if (2 * (this.#keys + 1) > this.#slots.length) {
      const old = this.#slots.filter((each) => each !== EMPTY);
      this.#slots = new Int32Array(2 * this.#slots.length).fill(EMPTY);
      for (const each of old) this.#place(each);
    }
    this.#place(value);
    this.#keys++;
  }

  #place(value: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hash(value) & mask;
    while (this.#slots[slot] !== EMPTY) slot = slot + 1 & mask;
    this.#slots[slot] = value;
  }

  #erase(value: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = this.#hash(value) & mask;
    while (slots[hole] !== value) {
      if (slots[hole] === EMPTY) return;
      hole = hole + 1 & mask;
    }
    for (let at = hole + 1 & mask; slots[at] !== EMPTY; at = at + 1 & mask) {
      // What is at home between the hole and its place must stay where it is.
      if ((at - (this.#hash(slots[at]!) & mask) & mask) < (at - hole & mask)) continue;
      slots[hole] = slots[at]!;
      hole = at;
    }
    slots[hole] = EMPTY;
    this.#keys--;
  }

  #allocate(): number {
    const reused = this.#free.pop();
    if (reused !== undefined) return reused;
    if (this.#used >= this.#most) return NO_FLOW;
    if (this.#used === this.kinds.length) this.#grow();
    return this.#used++;
  }

  #grow(): void {
    const size = Math.min(2 * this.kinds.length, Math.max(this.#most, SMALLEST));
    this.tuples = widened(new Int32Array(size * STRIDE), this.tuples);
    this.kinds = widened(new Uint16Array(size), this.kinds);
    this.lifetimes = widened(new Uint16Array(size), this.lifetimes);
    this.lastMs = widened(new Float64Array(size), this.lastMs);
    this.generations = widened(new Uint32Array(size), this.generations);
    this.flags = widened(new Uint8Array(size), this.flags);
  }
}

/** What is said of a flow. */
export const FlowFlag = {
  /** Its answers find it. */
  HAS_RETURN: 1,
  /** Its source is translated. */
  SNAT: 2,
  /** Its port was taken from the pool. */
  HAS_PORT: 4,
  /** It was decided whether its source is translated. */
  DECIDED: 8,
} as const;

function widened<T extends { set(from: T): void }>(wider: T, old: T): T {
  wider.set(old);
  return wider;
}

/** A tuple with its ends exchanged. */
export function turn(from: Int32Array, at: number, into: Int32Array): void {
  for (let i = 0; i < 4; i++) {
    into[SOURCE + i] = from[at + DESTINATION + i]!;
    into[DESTINATION + i] = from[at + SOURCE + i]!;
  }
  const ports = from[at + PORTS]!;
  into[PORTS] = ports << 16 | ports >>> 16;
}

function hashOf(words: Int32Array, at: number, kind: number): number {
  return mix2(
    mix5(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!, kind),
    mix5(words[at + 4]!, words[at + 5]!, words[at + 6]!, words[at + 7]!, words[at + 8]!),
  );
}
