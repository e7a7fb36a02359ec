import { Libc } from "./libc.ts";
import { NetNs } from "./net_ns.ts";

/** Whether tests that make namespaces and interfaces can run; the others are reported as ignored. */
export const canMakeNamespaces = Deno.uid() === 0;

/** Runs a test body with the C library, and looks for descriptors that it left open. */
export async function withLibc(body: (libc: Libc) => void | Promise<void>): Promise<void> {
  using libc = Libc.open();
  const before = openDescriptors();
  await body(libc);
  const after = openDescriptors();
  if (after > before) throw new Error(`${after - before} descriptors were left open`);
}

/** A fresh namespace, which goes away with this object. */
export class TestNamespace implements Disposable {
  static #count = 0;
  /** As `ip -n` knows it. */
  readonly name = `contiv-libc-${Deno.pid}-${TestNamespace.#count++}`;
  readonly path = `/run/netns/${this.name}`;
  readonly ns: NetNs;
  readonly #libc: Libc;

  constructor(libc: Libc) {
    this.#libc = libc;
    this.ns = NetNs.create(libc, this.path);
  }

  /** What an `ip -j` command prints. */
  ip(...args: string[]): Record<string, unknown>[] {
    const text = run("ip", "-n", this.name, "-d", "-j", ...args);
    return text.trim() === "" ? [] : JSON.parse(text);
  }

  [Symbol.dispose](): void {
    this.ns.close();
    NetNs.remove(this.#libc, this.path);
  }
}

/** What a command prints. */
export function run(command: string, ...args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command(command, { args }).outputSync();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${command} ${args.join(" ")}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

/** How many descriptors the process has. */
function openDescriptors(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

/** Random whole numbers from 0 up to `limit`, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ state >>> 15, state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) % limit;
  };
}
