/** What is known of the neighbour behind an adjacency. */
export const AdjacencyState = { FREE: 0, INCOMPLETE: 1, COMPLETE: 2 } as const;

/** Octets kept per rewrite: 14 of Ethernet, padded. */
const REWRITE_STRIDE = 16;

/**
 * Next hops on interfaces: per index the interface, the largest layer 3 packet and the Ethernet
 * header to write. Plain arrays, so that forwarding reads few lines of memory and no objects.
 */
export class AdjacencyTable {
  state = new Uint8Array(64);
  swIfIndex = new Int32Array(64);
  mtu = new Int32Array(64);
  /** The EtherType tells the family. */
  rewrite = new Uint8Array(64 * REWRITE_STRIDE);
  /** The next hop: four words, of which IPv4 uses the first. */
  nextHop = new Int32Array(64 * 4);
  #free: number[] = [];
  #used = 0;

  /** An unused index, which has to be filled in. */
  allocate(): number {
    const reused = this.#free.pop();
    if (reused !== undefined) return reused;
    if (this.#used === this.state.length) this.#grow();
    return this.#used++;
  }

  free(index: number): void {
    this.state[index] = AdjacencyState.FREE;
    this.#free.push(index);
  }

  /** Writes the Ethernet header of an adjacency, and thereby completes it. */
  complete(index: number, destination: Uint8Array, source: Uint8Array, etherType: number): void {
    const at = index * REWRITE_STRIDE;
    this.rewrite.set(destination, at);
    this.rewrite.set(source, at + 6);
    this.rewrite[at + 12] = etherType >>> 8;
    this.rewrite[at + 13] = etherType & 0xff;
    this.state[index] = AdjacencyState.COMPLETE;
  }

  /** Copies the header of an adjacency before a packet. */
  apply(index: number, buffer: Uint8Array, at: number): void {
    const rewrite = this.rewrite;
    const from = index * REWRITE_STRIDE;
    buffer[at] = rewrite[from]!;
    buffer[at + 1] = rewrite[from + 1]!;
    buffer[at + 2] = rewrite[from + 2]!;
    buffer[at + 3] = rewrite[from + 3]!;
    buffer[at + 4] = rewrite[from + 4]!;
    buffer[at + 5] = rewrite[from + 5]!;
    buffer[at + 6] = rewrite[from + 6]!;
    buffer[at + 7] = rewrite[from + 7]!;
    buffer[at + 8] = rewrite[from + 8]!;
    buffer[at + 9] = rewrite[from + 9]!;
    buffer[at + 10] = rewrite[from + 10]!;
    buffer[at + 11] = rewrite[from + 11]!;
    buffer[at + 12] = rewrite[from + 12]!;
    buffer[at + 13] = rewrite[from + 13]!;
  }

  #grow(): void {
    const size = this.state.length * 2;
    const grown = <T extends Uint8Array | Int32Array>(wider: T, old: T): T => {
      wider.set(old);
      return wider;
    };
    this.state = grown(new Uint8Array(size), this.state);
    this.swIfIndex = grown(new Int32Array(size), this.swIfIndex);
    this.mtu = grown(new Int32Array(size), this.mtu);
    this.rewrite = grown(new Uint8Array(size * REWRITE_STRIDE), this.rewrite);
    this.nextHop = grown(new Int32Array(size * 4), this.nextHop);
  }
}
