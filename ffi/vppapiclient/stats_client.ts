import { bounded } from "./_bounded.ts";
import { cString } from "./_c_string.ts";
import { readPointers, readStatData } from "./_stat_data.ts";
import { VppStatsError } from "./error.ts";
import type { StatSymbols, VppApiClientLibrary } from "./library.ts";
import type { StatValue } from "./stat_value.ts";

/** Where and how to read VPP's counters. */
export interface StatsOptions {
  readonly library: VppApiClientLibrary;
  /** What `statseg { socket-name }` says in VPP's startup configuration. */
  readonly path: string;
  /** Limit for connecting and for one read, each, in milliseconds. @default 3000 */
  readonly timeoutMs?: number | undefined;
  /**
   * Milliseconds for which a mapped segment is believed: that of a dead VPP stays readable, and
   * nothing in it says so. @default 1000
   */
  readonly trustMs?: number | undefined;
}

/** `stat_client_main_t`: its `timeout` in nanoseconds stands behind epoch and three words. */
const CLIENT_SIZE = 40;
const TIMEOUT_WORD = 4;
/** How long the library may spin on this thread while VPP changes the segment. */
const SPIN_NS = 50_000_000n;
const PAUSE_MS = 2;

/** A segment that is mapped. */
interface Segment {
  readonly client: Deno.PointerObject;
  readonly at: number;
}

/**
 * VPP's counters, read from its statistics segment without its help. Connects when first read, and
 * again when VPP has restarted or may have; a read that meets a change of the segment's directory
 * is done again.
 */
export class StatsClient implements AsyncDisposable {
  readonly #stat: StatSymbols;
  readonly #path: string;
  readonly #timeoutMs: number;
  readonly #trustMs: number;
  /** Pattern vectors by their patterns; the library has no call that frees one whole. */
  readonly #patterns = new Map<string, Deno.PointerObject>();
  #segment: Segment | undefined;
  #connecting: Promise<number> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  /**
   * Makes a client; nothing is connected yet.
   *
   * @throws {VppLibraryError} if the library lacks a symbol
   */
  constructor(options: StatsOptions) {
    this.#stat = options.library.stat();
    this.#path = options.path;
    this.#timeoutMs = options.timeoutMs ?? 3_000;
    this.#trustMs = options.trustMs ?? 1_000;
  }

  /**
   * Reads all values whose name matches one of the patterns, POSIX basic regular expressions such
   * as `^/if/`. Reads wait for each other.
   *
   * @throws {VppStatsError} if VPP does not run, or its segment does not come to rest in time
   */
  read(patterns: readonly string[]): Promise<Map<string, StatValue>> {
    const result = this.#turn.then(() => this.#read(patterns));
    this.#turn = result.catch(() => {});
    return result;
  }

  /** Gives the segment back. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#turn;
    this.#drop();
    for (const vector of this.#patterns.values()) {
      for (const pattern of readPointers(this.#stat, vector)) {
        this.#stat.stat_segment_vec_free(pattern);
      }
      this.#stat.stat_segment_vec_free(vector);
    }
    this.#patterns.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #read(patterns: readonly string[]): Promise<Map<string, StatValue>> {
    const deadline = performance.now() + this.#timeoutMs;
    const segment = await this.#mapped(deadline);
    const wanted = this.#vectorOf(patterns);
    while (true) {
      const values = this.#attempt(segment, wanted);
      if (values !== undefined) return values;
      if (performance.now() >= deadline) {
        this.#drop();
        throw new VppStatsError(
          "stat_segment_dump",
          "unstable",
          `Cannot read VPP's counters at ${this.#path}: the segment changes ` +
            `since ${this.#timeoutMs} ms, one at rest wanted`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  /** One synchronous look at the segment; undefined if VPP changed the directory meanwhile. */
  #attempt(segment: Segment, patterns: Deno.PointerObject): Map<string, StatValue> | undefined {
    const stat = this.#stat;
    const directory = stat.stat_segment_ls_r(patterns, segment.client);
    if (directory === null) return undefined;
    const data = stat.stat_segment_dump_r(directory, segment.client);
    stat.stat_segment_vec_free(directory);
    if (data === null) return undefined;
    try {
      return readStatData(stat, data);
    } finally {
      stat.stat_segment_data_free(data);
    }
  }

  async #mapped(deadline: number): Promise<Segment> {
    if (this.#closed) {
      throw new VppStatsError(
        "stat_segment_connect",
        "closed",
        `Cannot read VPP's counters at ${this.#path}: the client is closed, an open one wanted`,
      );
    }
    const known = this.#segment;
    if (known !== undefined && performance.now() - known.at < this.#trustMs) return known;
    this.#drop();
    return this.#segment = await this.#connect(deadline);
  }

  async #connect(deadline: number): Promise<Segment> {
    const fail = (code: "refused" | "timeout", why: string): never => {
      throw new VppStatsError(
        "stat_segment_connect",
        code,
        `Cannot read VPP's counters at ${this.#path}: ${why}, a running VPP wanted`,
      );
    };
    if (this.#connecting !== undefined) fail("timeout", "VPP still owes an earlier answer");
    const client = this.#stat.stat_client_get();
    if (client === null) return fail("refused", "no memory");
    const connecting = this.#stat.stat_segment_connect_r(cString(this.#path), client);
    const result = await bounded(connecting, deadline - performance.now());
    if (!result.done) {
      // VPP accepted and says nothing; its end will end the call.
      this.#connecting = connecting;
      void connecting.then((late) => {
        this.#connecting = undefined;
        this.#give(client, late === 0);
      });
      return fail("timeout", `no answer within ${this.#timeoutMs} ms`);
    }
    if (result.value !== 0) {
      this.#give(client, false);
      return fail("refused", `stat_segment_connect returned ${result.value}`);
    }
    const words = new BigUint64Array(Deno.UnsafePointerView.getArrayBuffer(client, CLIENT_SIZE));
    // Without a limit, the library would spin for ever if VPP died while it changed the segment.
    words[TIMEOUT_WORD] = SPIN_NS;
    return { client, at: performance.now() };
  }

  #drop(): void {
    if (this.#segment !== undefined) this.#give(this.#segment.client, true);
    this.#segment = undefined;
  }

  #give(client: Deno.PointerObject, mapped: boolean): void {
    if (mapped) this.#stat.stat_segment_disconnect_r(client);
    this.#stat.stat_client_free(client);
  }

  #vectorOf(patterns: readonly string[]): Deno.PointerObject {
    const key = patterns.join("\n");
    let vector = this.#patterns.get(key) ?? null;
    if (vector === null) {
      for (const pattern of patterns) {
        vector = this.#stat.stat_segment_string_vector(vector, cString(pattern));
      }
      if (vector === null) {
        throw new TypeError("Cannot read no counters: at least one pattern wanted");
      }
      this.#patterns.set(key, vector);
    }
    return vector;
  }
}
