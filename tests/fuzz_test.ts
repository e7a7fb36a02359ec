/**
 * Each parser of outside octets gets 10,000 inputs, or its share of them. `deno task fuzz` gives a
 * million.
 */
import { assert } from "@contiv/assert";
import { mutate } from "./fuzz/mutate.ts";
import { TARGETS } from "./fuzz/targets.ts";
import { random } from "./support/random.ts";
import { run } from "./support/run_command.ts";

const MAIN = new URL("./fuzz/main.ts", import.meta.url).pathname;
const INPUTS = 10_000;
const SEED = 26_06;
/** The part of the inputs that a target must at least be able to read: else none gets far. */
const LEAST_READ = 0.01;

for (const { name, share = 1 } of TARGETS) {
  Deno.test(`${name} neither breaks, hangs nor grows on ${INPUTS * share} inputs`, async () => {
    const flags = ["--target", name, "--seed", String(SEED), "--inputs", String(INPUTS)];
    const { stdout } = await run(
      Deno.execPath(),
      ["run", "--allow-all", "--no-check", "--v8-flags=--expose-gc", MAIN, ...flags],
      { limitMs: 180_000 },
    );
    const [, inputs, read] = /(\d+) inputs, (\d+) read, heap/.exec(stdout) ?? [];
    assert(Number(inputs) === Math.round(INPUTS * share), stdout);
    assert(Number(read) >= LEAST_READ * Number(inputs), stdout);
  });
}

Deno.test("a seed's inputs are the same each time, and differ from one another", () => {
  for (const target of TARGETS) {
    const sources = { corpus: target.corpus(), dictionary: [new Uint8Array([1, 2])] };
    assert(sources.corpus.length >= 3, target.name);
    const [one, two] = [random(SEED), random(SEED)];
    const seen = new Set<string>();
    for (let i = 0; i < 200; i++) {
      const input = mutate(sources, one).toHex();
      assert(mutate(sources, two).toHex() === input, target.name);
      seen.add(input);
    }
    assert(seen.size > 150, `${target.name}: only ${seen.size} of 200 inputs differ`);
  }
});
