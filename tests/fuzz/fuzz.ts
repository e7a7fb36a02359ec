import { random } from "../support/random.ts";
import { mutate } from "./mutate.ts";
import type { FuzzTarget } from "./target.ts";

export interface FuzzOptions {
  readonly seed: number;
  readonly inputs: number;
  /** Number of the input at hand, for whoever watches; shared memory. */
  readonly at?: Int32Array;
  /** Collects garbage at once; without it growth is not looked at. */
  readonly gc?: () => void;
}

export interface FuzzReport {
  readonly inputs: number;
  /** How many could be read. */
  readonly read: number;
  /** Growth of the heap from the first fifth to the end, in octets, where it was looked at. */
  readonly growth?: number;
}

/** Inputs between two checks. */
const CHECK_EVERY = 1_000;
/** Octets that the heap may grow by: compiled code and caches that fill up. */
const GROWTH_LIMIT = 6 << 20;

/**
 * Gives a target inputs that depend on nothing but the seed.
 * @throws {Error} that has the input and how to make it again
 */
export async function fuzz(target: FuzzTarget, options: FuzzOptions): Promise<FuzzReport> {
  const { seed, at, gc } = options;
  const inputs = Math.max(1, Math.round(options.inputs * (target.share ?? 1)));
  const encoder = new TextEncoder();
  const sources = {
    corpus: target.corpus(),
    dictionary: (target.dictionary ?? []).map((word) => encoder.encode(word)),
  };
  const next = random(seed);
  const subject = await target.start();
  let read = 0;
  let before: number | undefined;
  try {
    for (let i = 0; i < inputs; i++) {
      if (at) Atomics.store(at, 0, i);
      const input = mutate(sources, next);
      try {
        const outcome = subject.take(input);
        if (typeof outcome === "boolean" ? outcome : await outcome) read++;
      } catch (cause) {
        throw failure(target.name, seed, i, input, cause);
      }
      if (i % CHECK_EVERY === CHECK_EVERY - 1) await subject.check?.();
      if (gc !== undefined && i === Math.floor(inputs / 5)) before = await heapUsed(gc);
    }
    await subject.check?.();
    if (gc === undefined || before === undefined) return { inputs, read };
    const growth = await heapUsed(gc) - before;
    if (growth > GROWTH_LIMIT) {
      throw new Error(`${target.name} grew by ${growth} octets, at most ${GROWTH_LIMIT} wanted`);
    }
    return { inputs, read, growth };
  } finally {
    await subject.close?.();
  }
}

function failure(name: string, seed: number, i: number, input: Uint8Array, cause: unknown): Error {
  const what = cause instanceof Error ? cause.stack ?? cause.message : String(cause);
  return new Error(
    `${name} failed at input ${i} of seed ${seed}: ${what}\n` +
      `input: ${input.toHex()}\nreplay: deno task fuzz --target ${name} --seed ${seed} --inputs ${
        i + 1
      }`,
    { cause },
  );
}

async function heapUsed(gc: () => void): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    gc();
  }
  return Deno.memoryUsage().heapUsed;
}
