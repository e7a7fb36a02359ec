import type { StatsClient } from "./stats_client.ts";
import { type StatValue, sumCounter } from "./stat_value.ts";

/** Packets and their octets. */
export interface Traffic {
  readonly packets: bigint;
  readonly bytes: bigint;
}

/** Counters of one interface, summed over VPP's threads. */
export interface InterfaceCounters {
  readonly swIfIndex: number;
  readonly name: string;
  readonly rx: Traffic;
  readonly tx: Traffic;
  /** Single counters by VPP's names, such as `drops`, `punt`, `rx-miss` and `tx-error`. */
  readonly counts: Readonly<Record<string, bigint>>;
}

/** Counters of one node of VPP's packet graph, summed over its threads. */
export interface NodeCounters {
  readonly index: number;
  readonly name: string;
  readonly calls: bigint;
  readonly vectors: bigint;
  readonly suspends: bigint;
  readonly clocks: bigint;
}

/** Why a node dropped packets or took note of them, and how many. */
export interface ErrorCounter {
  readonly node: string;
  readonly reason: string;
  readonly count: bigint;
}

/** Counters of all interfaces, by index. */
export async function readInterfaces(stats: StatsClient): Promise<InterfaceCounters[]> {
  const values = await stats.read(["^/if/"]);
  const names = namesOf(values.get("/if/names"));
  const singles: [string, readonly BigUint64Array[]][] = [];
  for (const [path, value] of values) {
    if (value.kind === "counters") singles.push([path.slice("/if/".length), value.threads]);
  }
  return names.flatMap((name, swIfIndex): InterfaceCounters[] => {
    if (name === "") return [];
    return [{
      swIfIndex,
      name,
      rx: trafficOf(values.get("/if/rx"), swIfIndex),
      tx: trafficOf(values.get("/if/tx"), swIfIndex),
      counts: Object.fromEntries(
        singles.map(([key, threads]) => [key, sumCounter(threads, swIfIndex)]),
      ),
    }];
  });
}

/** Counters of all nodes, by index. VPP renews them every 10 s unless told otherwise. */
export async function readNodes(stats: StatsClient): Promise<NodeCounters[]> {
  const values = await stats.read(["^/sys/node/"]);
  const of = (path: string, index: number): bigint => {
    const value = values.get(path);
    return value?.kind === "counters" ? sumCounter(value.threads, index) : 0n;
  };
  return namesOf(values.get("/sys/node/names")).flatMap((name, index): NodeCounters[] => {
    if (name === "") return [];
    return [{
      index,
      name,
      calls: of("/sys/node/calls", index),
      vectors: of("/sys/node/vectors", index),
      suspends: of("/sys/node/suspends", index),
      clocks: of("/sys/node/clocks", index),
    }];
  });
}

/** All error counters that are not zero, by node and reason. */
export async function readErrors(stats: StatsClient): Promise<ErrorCounter[]> {
  const errors: ErrorCounter[] = [];
  for (const [path, value] of await stats.read(["^/err/"])) {
    const count = countOf(value);
    if (count === 0n) continue;
    const [, , node = "", ...reason] = path.split("/");
    errors.push({ node, reason: reason.join("/"), count });
  }
  return errors;
}

function countOf(value: StatValue): bigint {
  if (value.kind === "scalar") return BigInt(Math.trunc(value.value));
  return value.kind === "counters" ? sumCounter(value.threads, 0) : 0n;
}

function namesOf(value: StatValue | undefined): readonly string[] {
  return value?.kind === "names" ? value.names : [];
}

function trafficOf(value: StatValue | undefined, index: number): Traffic {
  if (value?.kind !== "pairs") return { packets: 0n, bytes: 0n };
  return {
    packets: sumCounter(value.threads, 2 * index),
    bytes: sumCounter(value.threads, 2 * index + 1),
  };
}
