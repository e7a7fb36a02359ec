import type { Cpu, Machine } from "./machine.ts";
import type { Wish } from "./wish.ts";

/** CPUs of VPP's threads. */
export interface Threads {
  /** The main thread's; undefined leaves it to VPP, which stays where it was started. */
  readonly main: number | undefined;
  /** One for each worker; none: the main thread forwards. */
  readonly workers: readonly number[];
  /** NUMA node that they are on. */
  readonly numa: number;
  /** Why these, for people. */
  readonly why: string;
}

/** More workers than this help no node that contiv is made for. */
const MOST_WORKERS = 8;

/**
 * Chooses CPUs: the kernel's isolated ones if there are any, else less than half of what there is,
 * never the first, beside which the kernel does its own work. A machine with three CPUs or fewer has
 * none to give away: there the main thread forwards and sleeps while nothing happens.
 */
export function threadsFor(machine: Machine, wish: Wish): Threads {
  const numa = machine.nics.find(({ address }) => address === wish.uplink)?.numa ??
    machine.cpus[0]?.numa ?? 0;
  const near = machine.cpus.filter((cpu) => cpu.numa === numa);
  const shared = machine.cpus.filter(({ isolated }) => !isolated);
  const wanted = wish.workers ?? defaultWorkers(machine.cpus);
  if (wanted === 0) {
    const why = `${machine.cpus.length} CPUs: the main thread forwards, and sleeps when idle`;
    return { main: undefined, workers: [], numa, why };
  }
  const main = shared.find(({ id }) => id > 0)?.id ?? machine.cpus.at(-1)?.id;
  const rank = (cpu: Cpu): number => (cpu.isolated ? 0 : 2) + (cpu.numa === numa ? 0 : 1);
  const free = machine.cpus.filter(({ id }) => id !== main && id !== 0)
    .toSorted((a, b) => rank(a) - rank(b) || a.id - b.id);
  const workers = free.slice(0, wanted).map(({ id }) => id).toSorted((a, b) => a - b);
  const isolated = machine.cpus.length - shared.length;
  const place = near.length < machine.cpus.length ? `, on NUMA node ${numa} where it reaches` : "";
  const why = isolated > 0
    ? `the kernel's ${isolated} isolated CPUs${place}`
    : `${machine.cpus.length} CPUs${place}: the rest is for pods and the kernel`;
  return { main, workers, numa, why };
}

function defaultWorkers(cpus: readonly Cpu[]): number {
  if (cpus.length <= 3) return 0;
  const isolated = cpus.filter((cpu) => cpu.isolated).length;
  return Math.min(MOST_WORKERS, isolated > 0 ? isolated : Math.floor((cpus.length - 2) / 2));
}
