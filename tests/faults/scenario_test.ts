import { assert, assertEquals } from "@contiv/assert";
import { describeRound, type Fault, scenario } from "./scenario.ts";

/** The runs that the node must survive. */
const SEEDS = Array.from({ length: 300 }, (_, i) => i + 1);

/** A fault without what is drawn as a number. */
function variant(fault: Fault): string {
  const parts = Object.entries(fault).filter(([key]) => !["pod", "at", "byMs"].includes(key));
  return parts.map(([key, value]) => key === "kind" ? value : `${key} ${value}`).join(", ");
}

Deno.test("a seed's scenario is the same each time, and another one's differs", () => {
  for (const seed of SEEDS) assertEquals(scenario(seed), scenario(seed));
  const texts = SEEDS.map((seed) => scenario(seed).rounds.map(describeRound).join("\n"));
  assertEquals(new Set(texts).size, SEEDS.length);
});

Deno.test("the scenarios hang together: who is removed was there, and what is wanted adds up", () => {
  for (const seed of SEEDS) {
    let pods: readonly string[] = [];
    for (const { add, remove, fault, wanted } of scenario(seed).rounds) {
      for (const pod of remove) assert(pods.includes(pod), `seed ${seed} removes ${pod}`);
      for (const pod of add) assert(!pods.includes(pod), `seed ${seed} adds ${pod} again`);
      if ("pod" in fault) {
        assert(pods.includes(fault.pod) && !remove.includes(fault.pod), `seed ${seed}`);
      }
      const gone = fault.kind === "reboot"
        ? pods
        : fault.kind === "namespace"
        ? [...remove, fault.pod]
        : remove;
      pods = [...pods.filter((pod) => !gone.includes(pod)), ...add];
      assertEquals(wanted, pods);
    }
  }
});

Deno.test("300 scenarios have every fault, in every variant, and crowds of 100 pods", () => {
  const rounds = SEEDS.flatMap((seed) => scenario(seed).rounds);
  const variants = new Map<string, number>();
  for (const { fault } of rounds) {
    variants.set(variant(fault), (variants.get(variant(fault)) ?? 0) + 1);
  }
  // 1 none, 7 sets of victims once and twice, 2 full disks, 6 harms, 2 namespaces, 6 by hand,
  // 2 clocks, 2 reboots.
  assertEquals(variants.size, 1 + 14 + 2 + 6 + 2 + 6 + 2 + 2, [...variants.keys()].join("\n"));
  for (const [name, count] of variants) assert(count >= 3, `${name} comes ${count} times`);
  assert(rounds.filter(({ add }) => add.length === 100).length >= 15);
});
