import { assert, assertEquals } from "@contiv/assert";
import { describeRound, type Pod, scenario } from "./scenario.ts";

/** The runs that a cluster must survive. */
const SEEDS = Array.from({ length: 100 }, (_, i) => i + 1);

Deno.test("a seed's scenario is the same each time, and another one's differs", () => {
  for (const seed of SEEDS) assertEquals(scenario(seed), scenario(seed));
  const texts = SEEDS.map((seed) => scenario(seed).map(describeRound).join("\n"));
  assertEquals(new Set(texts).size, SEEDS.length);
});

Deno.test("a cluster's scenarios hang together: who is removed was there, what is wanted adds up", () => {
  for (const seed of SEEDS) {
    let pods: readonly Pod[] = [];
    for (const { add, fault, remove, wanted } of scenario(seed)) {
      const lost = (pod: Pod): boolean => fault.kind === "node replaced" && pod.node === fault.node;
      for (const name of remove) {
        const pod = pods.find((each) => each.name === name);
        assert(pod !== undefined && !lost(pod), `seed ${seed} removes ${name}`);
      }
      assert(!add.some(lost), `seed ${seed} adds to a node that goes`);
      pods = [...pods.filter((pod) => !lost(pod) && !remove.includes(pod.name)), ...add];
      assertEquals(wanted, pods);
    }
  }
});

Deno.test("100 scenarios have every fault, and kill every process", () => {
  const faults = SEEDS.flatMap((seed) => scenario(seed)).map(({ fault }) => fault);
  const variants = faults.flatMap((fault) => {
    switch (fault.kind) {
      case "kill":
        return fault.victims.map((victim) => JSON.stringify(victim));
      case "partition":
        return [`${fault.from} ${fault.node}`];
      case "loss":
        return [`${fault.on} ${fault.percent}`];
      case "delay":
        return [`${fault.on} ${fault.delayMs} ms`];
      case "store wiped":
        return [`wiped, ${fault.kill.length} killed`];
      default:
        return [JSON.stringify(fault)];
    }
  });
  const counts = Map.groupBy(variants, (variant) => variant);
  // 8 processes, 6 partitions, 6 losses, 6 delays, plugins, 4 wiped, 6 full disks, 3 replaced, none.
  assertEquals(counts.size, 8 + 6 + 6 + 6 + 1 + 4 + 6 + 3 + 1, [...counts.keys()].join("\n"));
});
