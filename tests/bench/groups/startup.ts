import { until } from "../../support/until.ts";
import { alternate, type Subject } from "../alternate.ts";
import { BenchScope } from "../bench_scope.ts";
import type { Figure } from "../figure.ts";
import type { Group, GroupOptions } from "../group.ts";
import { runProgram } from "../program.ts";

const ROUNDS = 11;
const EMPTY = new URL("../empty.ts", import.meta.url).pathname;

/** From the start of a role's process until it serves. */
export const startupGroup: Group = {
  name: "startup",
  help: "from the start of a role until it serves; peer: an empty Deno program, start to end",
  async run({ signal, rounds = ROUNDS, progress }: GroupOptions): Promise<Figure[]> {
    await using scope = new BenchScope(signal);
    const node = await scope.node();
    const { sockets } = node.sandbox;
    const restart = (role: "agent" | "vswitch", socket: string): Subject => async (round) => {
      progress(`${role}, round ${round + 1}`);
      await node.kill(role);
      await Deno.remove(socket).catch(() => {});
      const start = performance.now();
      node.sandbox.start(role);
      await until(`${role} serves`, () => connects(socket));
      return performance.now() - start;
    };
    const command = [Deno.execPath(), "run", "--quiet", "--allow-all", EMPTY];
    const samples = await alternate({
      agent: restart("agent", sockets.cni),
      vswitch: restart("vswitch", sockets.vpp),
      empty: async () => (await runProgram({ command, signal })).ms,
    }, { rounds, signal });
    return (["agent", "vswitch"] as const).map((role): Figure => ({
      what: `start of contiv ${role}`,
      unit: "ms",
      better: "less",
      ours: { name: `contiv ${role}`, samples: samples[role] },
      peer: { name: "empty Deno program", samples: samples.empty },
    }));
  },
};

async function connects(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch {
    return false;
  }
}
