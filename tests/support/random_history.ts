import { assertEquals } from "@contiv/assert";
import { isNamespaced, type Kind, KINDS } from "@contiv/model";
import type { EtcdStore } from "@contiv/store";
import { random } from "./random.ts";
import { StateReader } from "./state_reader.ts";
import { until } from "./until.ts";

/** Where changes are made, and where they are seen. */
export interface RandomHistoryOptions {
  readonly seed: number;
  readonly changes: number;
  /** Changes between two pauses. */
  readonly burst: number;
  readonly put: (kind: Kind, name: string, state: string) => Promise<void> | void;
  readonly delete: (kind: Kind, id: string) => Promise<void> | void;
  /** Something that goes wrong, by a number from 0 up to 1. Called now and then. */
  readonly trouble: (which: number) => Promise<void> | void;
  /** What the store must have, by a fresh listing of the source. */
  readonly wanted: () => Promise<ReadonlyMap<string, string>>;
  /** Where readers look. */
  readonly store: EtcdStore;
}

const NAMES = 40;
const DELETIONS = 0.25;
const TROUBLES = 0.01;
const SETTLE_LIMIT_MS = 60_000;

/**
 * Makes random changes of every kind in bursts. After each, two readers of the store see what a
 * fresh listing of the source shows: one that was there from the start, and one that came at some
 * moment of the burst.
 * @throws {Error} that names the seed
 */
export async function randomHistory(options: RandomHistoryOptions): Promise<void> {
  const next = random(options.seed);
  const below = (limit: number): number => Math.floor(next() * limit);
  await using first = new StateReader(options.store);
  for (let done = 0; done < options.changes; done += options.burst) {
    let late: StateReader | undefined;
    const comesAt = below(options.burst);
    try {
      for (let i = 0; i < options.burst; i++) {
        if (i === comesAt) late = new StateReader(options.store);
        const kind = KINDS[below(KINDS.length)] ?? "pods";
        const name = `o${below(NAMES)}`;
        // A namespace needs a controller to go.
        if (next() < DELETIONS && kind !== "namespaces") {
          await options.delete(kind, isNamespaced(kind) ? `default/${name}` : name);
        } else await options.put(kind, name, `s${done + i}`);
        if (next() < TROUBLES) await options.trouble(next());
      }
      const wanted = [...await options.wanted()];
      for (const reader of late === undefined ? [first] : [first, late]) {
        await sees(reader, wanted, `seed ${options.seed}, ${done + options.burst} changes`);
      }
    } finally {
      await late?.[Symbol.asyncDispose]();
    }
  }
}

async function sees(reader: StateReader, wanted: [string, string][], when: string): Promise<void> {
  const text = JSON.stringify(wanted);
  try {
    await until(
      "the reader sees it",
      () => JSON.stringify(reader.entries()) === text,
      SETTLE_LIMIT_MS,
    );
  } catch {
    assertEquals(reader.entries(), wanted, when);
  }
}
