import { random } from "../support/random.ts";

/** Nodes at the start; the number of them stays, whoever goes. */
export const NODES = 3;

/** A process of the cluster that can be killed: a node is given by its place among the nodes. */
export type Victim =
  | { readonly role: "store" | "ksr" }
  | { readonly role: "agent" | "vswitch"; readonly node: number };

/** What goes wrong in a round. A node is given by its place among those there are. */
export type Fault =
  | { readonly kind: "none" }
  | { readonly kind: "kill"; readonly victims: readonly Victim[]; readonly again: boolean }
  /** A node cannot reach the others, or not the store. */
  | { readonly kind: "partition"; readonly from: "fabric" | "store"; readonly node: number }
  /** Of a hundred packets between nodes, or between nodes and the store, so many are lost. */
  | { readonly kind: "loss"; readonly on: "fabric" | "store"; readonly percent: number }
  /** Packets take about so many milliseconds, and overtake each other. */
  | { readonly kind: "delay"; readonly on: "fabric" | "store"; readonly delayMs: number }
  /** Every process of the plugin is killed within some milliseconds of its start. */
  | { readonly kind: "plugins killed" }
  | { readonly kind: "store wiped"; readonly kill: readonly number[] }
  | { readonly kind: "disk full"; readonly node: number; readonly restart: boolean }
  /** A node goes with all its pods, and another one comes. */
  | { readonly kind: "node replaced"; readonly node: number };

export interface Pod {
  readonly name: string;
  /** Place of its node among those there are. */
  readonly node: number;
}

/** Pods come and go, all at the same time, and meanwhile something goes wrong. */
export interface Round {
  readonly add: readonly Pod[];
  readonly remove: readonly string[];
  readonly fault: Fault;
  /** Milliseconds from the first call to the fault. */
  readonly delayMs: number;
  /** Milliseconds until the fault is repaired. */
  readonly holdMs: number;
  /** The pods that there are after the round. */
  readonly wanted: readonly Pod[];
}

/** Most pods of a cluster. */
const MAX_PODS = 9;
const MAX_ADDED = 4;
const KINDS = [
  "kill",
  "kill",
  "kill",
  "partition",
  "partition",
  "loss",
  "delay",
  "plugins killed",
  "store wiped",
  "disk full",
  "node replaced",
] as const;

/** What happens in the run of this seed, from the first call to the last. Pure. */
export function scenario(seed: number): readonly Round[] {
  const next = random(seed);
  const below = (limit: number): number => Math.floor(limit * next());
  const one = <T>(all: readonly T[]): T => all[below(all.length)]!;
  const rounds: Round[] = [];
  let pods: readonly Pod[] = [];
  let counter = 0;
  const count = 3 + below(3);
  for (let i = 0; i < count; i++) {
    const fault = i === 0 ? { kind: "none" } as const : drawFault(below, one, next);
    const stays = pods.filter(({ node }) => fault.kind !== "node replaced" || fault.node !== node);
    const remove = stays.filter(() => next() < 0.3).map(({ name }) => name);
    const kept = stays.filter(({ name }) => !remove.includes(name));
    const room = Math.max(0, MAX_PODS - kept.length);
    const add = Array.from(
      { length: i === 0 ? NODES : Math.min(room, below(MAX_ADDED + 1)) },
      (_, at): Pod => ({ name: `p${counter++}`, node: i === 0 ? at : below(NODES) }),
      // Nobody puts a pod on a node that goes.
    ).filter(({ node }) => fault.kind !== "node replaced" || fault.node !== node);
    pods = [...kept, ...add];
    const timing = { delayMs: below(300), holdMs: 200 + below(2_500) };
    rounds.push({ add, remove, fault, ...timing, wanted: pods });
  }
  return rounds;
}

function drawFault(
  below: (limit: number) => number,
  one: <T>(all: readonly T[]) => T,
  next: () => number,
): Fault {
  const kind = one(KINDS);
  switch (kind) {
    case "kill": {
      const all: Victim[] = [
        { role: "store" },
        { role: "ksr" },
        ...Array.from({ length: NODES }, (_, node): Victim[] => [
          { role: "agent", node },
          { role: "vswitch", node },
        ]).flat(),
      ];
      const first = one(all);
      const victims = all.filter((victim) => victim === first || next() < 0.25);
      return { kind, victims, again: next() < 0.3 };
    }
    case "partition":
      return { kind, from: one(["fabric", "store"]), node: below(NODES) };
    case "loss":
      return { kind, on: one(["fabric", "store"]), percent: one([5, 20, 50]) };
    case "delay":
      return { kind, on: one(["fabric", "store"]), delayMs: one([10, 60, 250]) };
    case "plugins killed":
      return { kind };
    case "store wiped": {
      const kill = Array.from({ length: NODES }, (_, node) => node).filter(() => next() < 0.4);
      return { kind, kill };
    }
    case "disk full":
      return { kind, node: below(NODES), restart: next() < 0.4 };
    case "node replaced":
      return { kind, node: below(NODES) };
  }
}

/** A round for people, on one line. */
export function describeRound({ add, remove, fault, delayMs, holdMs }: Round): string {
  const { kind, ...rest } = fault;
  const details = Object.entries(rest).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
  const calls = `+${add.length} -${remove.length}`;
  return `${calls}, after ${delayMs} ms ${kind} (${details.join(", ")}) for ${holdMs} ms`;
}
