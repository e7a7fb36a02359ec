/** The range that VPP takes ports from (VPP: cnat_types.h, MIN_SRC_PORT). */
const FIRST = 0xc000;
const LAST = 0xfffe;

/** Source ports, or identifiers of echoes, of one protocol for translated flows. */
export class PortPool {
  readonly #taken = new Uint8Array(LAST - FIRST + 1);
  #next = 0;

  /** A port that no flow has, one after the other; undefined if there is none. */
  take(): number | undefined {
    const size = this.#taken.length;
    for (let tried = 0; tried < size; tried++) {
      const at = this.#next;
      this.#next = at + 1 === size ? 0 : at + 1;
      if (this.#taken[at] !== 0) continue;
      this.#taken[at] = 1;
      return FIRST + at;
    }
    return undefined;
  }

  give(port: number): void {
    if (port >= FIRST && port <= LAST) this.#taken[port - FIRST] = 0;
  }
}
