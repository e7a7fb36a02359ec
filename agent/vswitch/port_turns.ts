import type { Dataplane } from "./core/mod.ts";

/** Frames taken from one port before the next has its turn, and from one that rested. */
const FRAMES = 64;
const FRAMES_AFTER_REST = 16;

/** Frames that a turn must have to be judged, and bad turns in a row that lead to a rest. */
const JUDGED_FRAMES = 4;
const BAD_TURNS = 4;

/** Milliseconds of a first rest, and of the longest: each that follows at once is twice as long. */
const SHORTEST_REST = 2;
const LONGEST_REST = 8;

interface Record {
  badTurns: number;
  /** How long its last rest was, 0 if it has none behind it. */
  restMs: number;
}

/**
 * How many frames each port may give in its turn, and when it rests. A port of whose frames three
 * in four come to nothing (dropped, or for nobody) turn after turn is left alone for some
 * milliseconds: a container that floods costs its neighbours no time. While it rests, the kernel
 * drops what does not fit its queue.
 */
export class PortTurns {
  readonly #dataplane: Dataplane;
  readonly #records: (Record | undefined)[] = [];
  /** Frames of the interface that had come to nothing before the turn. */
  #before = 0;

  constructor(dataplane: Dataplane) {
    this.#dataplane = dataplane;
  }

  /** Begins an interface's turn. @returns how many frames it may give */
  begin(swIfIndex: number): number {
    this.#before = this.#fruitless(swIfIndex);
    return this.#records[swIfIndex]?.restMs ? FRAMES_AFTER_REST : FRAMES;
  }

  /** Ends the turn in which an interface gave so many frames. @returns milliseconds to rest now */
  end(swIfIndex: number, frames: number): number {
    const record = this.#records[swIfIndex];
    const fruitless = this.#fruitless(swIfIndex) - this.#before;
    if (frames < JUDGED_FRAMES || 4 * fruitless <= 3 * frames) {
      if (record !== undefined) this.#records[swIfIndex] = undefined;
      return 0;
    }
    if (record === undefined) {
      this.#records[swIfIndex] = { badTurns: 1, restMs: 0 };
      return 0;
    }
    if (record.restMs === 0 && ++record.badTurns < BAD_TURNS) return 0;
    record.restMs = Math.min(LONGEST_REST, 2 * record.restMs || SHORTEST_REST);
    return record.restMs;
  }

  /** Forgets what an interface did: another one has its index. */
  reset(swIfIndex: number): void {
    this.#records[swIfIndex] = undefined;
  }

  #fruitless(swIfIndex: number): number {
    const counters = this.#dataplane.interface(swIfIndex)?.counters;
    return counters === undefined ? 0 : counters.drops + counters.punts;
  }
}
