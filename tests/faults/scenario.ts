import { random } from "../support/random.ts";

/** A process of the node that can be killed. */
export type Victim = "agent" | "vswitch" | "plugins";

/** What befalls the agent's state while no agent runs. */
export type StateHarm = "cut" | "torn" | "log lost" | "newer" | "older" | "all lost";

/** What somebody does by hand to a device of a pod or to what the data plane has of it. */
export type Handiwork =
  | "device removed"
  | "device renamed"
  | "device down"
  | "addresses flushed"
  | "interface deleted"
  | "route deleted";

/** What goes wrong in a round. `at` is a point between 0 and 1 of whatever it happens to. */
export type Fault =
  | { readonly kind: "none" }
  | { readonly kind: "kill"; readonly victims: readonly Victim[]; readonly again: boolean }
  | { readonly kind: "disk full"; readonly restart: boolean }
  | { readonly kind: "state"; readonly harm: StateHarm; readonly at: number }
  | { readonly kind: "namespace"; readonly pod: string; readonly found: "DEL" | "GC" }
  | { readonly kind: "by hand"; readonly pod: string; readonly what: Handiwork }
  | { readonly kind: "clock"; readonly byMs: number; readonly restart: boolean }
  | { readonly kind: "reboot"; readonly powerCut: boolean; readonly at: number };

/** Pods come and go, all at the same time, and meanwhile something goes wrong. */
export interface Round {
  readonly add: readonly string[];
  readonly remove: readonly string[];
  readonly fault: Fault;
  /** Milliseconds from the first call to the fault. */
  readonly delayMs: number;
  /** Milliseconds until the fault is repaired. */
  readonly holdMs: number;
  /** The pods that the runtime wants to run after the round. */
  readonly wanted: readonly string[];
}

export interface Scenario {
  readonly seed: number;
  readonly rounds: readonly Round[];
}

/** Pods that a crowd has, which one scenario in {@link CROWD_EVERY} has. */
const CROWD = 100;
const CROWD_EVERY = 12;
const MAX_PODS = 8;
const HOURS = 3_600_000;

const VICTIMS: readonly (readonly Victim[])[] = [
  ["agent"],
  ["agent"],
  ["vswitch"],
  ["plugins"],
  ["agent", "vswitch"],
  ["agent", "plugins"],
  ["vswitch", "plugins"],
  ["agent", "vswitch", "plugins"],
];
const HARMS: readonly StateHarm[] = ["cut", "torn", "log lost", "newer", "older", "all lost"];
const HANDIWORK: readonly Handiwork[] = [
  "device removed",
  "device renamed",
  "device down",
  "addresses flushed",
  "interface deleted",
  "route deleted",
];

/** Draws what differs from seed to seed. */
class Dice {
  readonly next: () => number;

  constructor(seed: number) {
    this.next = random(seed);
  }

  below(limit: number): number {
    return Math.floor(limit * this.next());
  }

  one<T>(all: readonly [T, ...T[]] | readonly T[]): T {
    const found = all[this.below(all.length)];
    if (found === undefined) throw new RangeError("Cannot draw: there is nothing, one wanted");
    return found;
  }

  /** Up to `limit` of them, in their order. */
  some<T>(all: readonly T[], limit: number): readonly T[] {
    const rate = Math.min(1, limit * this.next() / Math.max(1, all.length));
    return all.filter(() => this.next() < rate);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }
}

/**
 * What happens in the run of this seed, from the first call to the last. Pure.
 * @param podLimit how many pods a node bears
 */
export function scenario(seed: number, podLimit = CROWD + MAX_PODS): Scenario {
  const dice = new Dice(seed);
  const crowdAt = dice.below(CROWD_EVERY) === 0 ? 1 : -1;
  const rounds: Round[] = [];
  let pods: readonly string[] = [];
  let counter = 0;
  const fresh = (count: number): readonly string[] =>
    Array.from({ length: count }, () => `p${counter++}`);
  const count = 3 + dice.below(3);
  for (let i = 0; i < count; i++) {
    const crowd = i === crowdAt;
    const fault = crowd
      ? drawKill(dice)
      : i === 0
      ? dice.one([{ kind: "none" } as const, drawKill(dice)])
      : drawFault(dice, pods);
    if (fault.kind === "reboot") {
      rounds.push({ add: [], remove: [], fault, delayMs: 0, holdMs: 0, wanted: [] });
      pods = [];
      continue;
    }
    // Nobody removes the pod that something befalls.
    const victim = "pod" in fault ? fault.pod : undefined;
    const remove = i > crowdAt && i === crowdAt + 1
      ? pods.filter((pod) => pod !== victim)
      : dice.some(pods.filter((pod) => pod !== victim), MAX_PODS);
    const room = MAX_PODS - (pods.length - remove.length);
    const add = fresh(
      crowd ? Math.min(CROWD, podLimit - MAX_PODS) : Math.max(0, 1 + dice.below(Math.max(1, room))),
    );
    const gone = new Set(fault.kind === "namespace" ? [...remove, fault.pod] : remove);
    pods = [...pods.filter((pod) => !gone.has(pod)), ...add];
    rounds.push({
      add,
      remove,
      fault,
      delayMs: dice.below(crowd ? 3_000 : 250),
      holdMs: dice.below(400),
      wanted: pods,
    });
  }
  return { seed, rounds };
}

function drawKill(dice: Dice): Fault {
  return { kind: "kill", victims: dice.one(VICTIMS), again: dice.chance(0.3) };
}

function drawFault(dice: Dice, pods: readonly string[]): Fault {
  const kind = dice.one(
    ["kill", "kill", "disk full", "state", "namespace", "by hand", "by hand", "clock", "reboot"],
  );
  switch (kind) {
    case "disk full":
      return { kind, restart: dice.chance(0.4) };
    case "state":
      return { kind, harm: dice.one(HARMS), at: dice.next() };
    case "namespace":
      if (pods.length === 0) return drawKill(dice);
      return { kind, pod: dice.one(pods), found: dice.one(["DEL", "GC"]) };
    case "by hand":
      if (pods.length === 0) return drawKill(dice);
      return { kind, pod: dice.one(pods), what: dice.one(HANDIWORK) };
    case "clock":
      return {
        kind,
        byMs: Math.round((dice.next() - 0.5) * 2_000 * HOURS),
        restart: dice.chance(0.5),
      };
    case "reboot":
      return { kind, powerCut: dice.chance(0.5), at: dice.next() };
    default:
      return drawKill(dice);
  }
}

/** A round for people, on one line. */
export function describeRound({ add, remove, fault, delayMs, holdMs }: Round): string {
  const { kind, ...rest } = fault;
  const details = Object.entries(rest).map(([key, value]) => `${key} ${value}`).join(", ");
  const calls = `+${add.length} -${remove.length}`;
  return `${calls}, after ${delayMs} ms ${kind}${details && ` (${details})`} for ${holdMs} ms`;
}
