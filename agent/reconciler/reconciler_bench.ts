import { Logger } from "@contiv/log";
import type { Descriptor, Item } from "./api.ts";
import { Reconciler } from "./reconciler.ts";

const PRESENT = 10_000;

/** Costs nothing, so that what is measured is ours. */
const nothing = (kind: string, after: string[]): Descriptor<string, number> => ({
  kind,
  after,
  create: () => Promise.resolve(1),
  update: () => Promise.resolve(1),
  delete: () => Promise.resolve(),
  retrieve: () => Promise.resolve([]),
  equal: (a, b) => a === b,
});

const reconciler = new Reconciler({
  descriptors: [nothing("interface", []), nothing("route", ["interface"])],
  now: () => performance.now(),
  log: Logger.silent(),
});

function routes(count: number, text: string): Item<string>[] {
  return Array.from({ length: count }, (_, i) => ({
    key: `route/10.1.${i >> 8}.${i & 255}/32`,
    value: text,
    requires: [`interface/${i % 100}`],
  }));
}

const interfaces = Array.from(
  { length: 100 },
  (_, i) => ({ key: `interface/${i}`, value: "", requires: [] }),
);
await reconciler.apply(reconciler.set([...interfaces, ...routes(PRESENT, "")]));

for (const size of [1, 10, 100, 1_000, 10_000]) {
  const versions = [routes(size, "even"), routes(size, "odd")] as const;
  let turn = 0;
  Deno.bench({
    name: `set, plan and apply ${size} of ${PRESENT}`,
    group: "update",
    baseline: size === 1,
    fn: async () => {
      await reconciler.apply(reconciler.set(versions[turn++ % 2 === 0 ? 0 : 1]));
    },
  });
  const removed = versions[0].map(({ key }) => ({ key, delete: true as const }));
  Deno.bench({
    name: `delete and create ${size} of ${PRESENT}`,
    group: "delete and create",
    baseline: size === 1,
    fn: async () => {
      await reconciler.apply(reconciler.set(removed));
      await reconciler.apply(reconciler.set(versions[0]));
    },
  });
}

Deno.bench({
  name: `plan all of ${PRESENT}, nothing differs`,
  group: "whole",
  fn: () => void reconciler.dryRun(),
});
