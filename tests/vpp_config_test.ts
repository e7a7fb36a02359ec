/** What `contiv vpp-config` writes starts VPP, and VPP has what was written. */
import { assert, assertEquals, assertMatch } from "@contiv/assert";
import { Libc } from "@contiv/libc";
import { VppClient } from "@contiv/vppapi";
import { inspectMachine, RootDirectory } from "../agent/vpp_config/mod.ts";
import { missingPrerequisites, parseStartupConfig } from "../agent/vpp_config/mod.ts";
import { renderStartupConfig, sizesFor, startupSections } from "../agent/vpp_config/mod.ts";
import type { Machine, Wish } from "../agent/vpp_config/mod.ts";
import { systemTest } from "./support/requires.ts";
import { until } from "./support/until.ts";

const GIB = 2 ** 30;
const binary = Deno.env.get("CONTIV_VPP");
const missing = binary === undefined ? "CONTIV_VPP, the path of a vpp binary" : undefined;

/** This machine, with another amount of memory. */
function machineOf(memoryGiB: number, directory: string): Machine {
  using libc = Libc.open();
  const files = new RootDirectory(libc, "/");
  const real = inspectMachine(files, { binary: binary ?? "", directories: [directory] });
  const total = memoryGiB * GIB;
  return { ...real, memory: { ...real.memory, total, available: total * 0.85 } };
}

for (const memoryGiB of [1, 16]) {
  systemTest(`VPP starts with what is written for ${memoryGiB} GiB, and has it`, async () => {
    const directory = Deno.makeTempDirSync({ prefix: "contiv-vpp-config-" });
    const prefix = `config${Deno.pid}x${memoryGiB}`;
    try {
      const machine = machineOf(memoryGiB, directory);
      const wish: Wish = {
        pods: 110,
        nodes: 500,
        services: 1_000,
        hugePages: "never",
        paths: {
          binary: binary ?? "",
          runtimeDirectory: directory,
          apiSocket: `${directory}/api.sock`,
          log: `${directory}/vpp.log`,
          segmentPrefix: prefix,
        },
      };
      const sizes = sizesFor(machine, wish);
      assertEquals(missingPrerequisites(machine, wish, sizes).filter(({ fatal }) => fatal), []);
      const text = renderStartupConfig(startupSections(machine, wish, sizes), { explain: true });
      assert(parseStartupConfig(text).has("unix", "nodaemon"));
      Deno.writeTextFileSync(`${directory}/startup.conf`, text);
      await using vpp = await start(wish, directory);

      const plugins = await vpp.show("plugins");
      const loaded = Array.from(plugins.matchAll(/^\s+\d+\. (\S+)/gm), ([, name]) => name);
      assertEquals(
        loaded.toSorted(),
        ["acl", "af_packet", "cnat", "ping", "tap", "tracedump", "urpf", "vxlan"].map((name) =>
          `${name}_plugin.so`
        ),
      );
      assertMatch(await vpp.show("memory main-heap"), new RegExp(`size ${size(sizes.heap)}`));
      const buffers = Number(
        /default-numa-0\s+\d+\s+0\s+\d+\s+\d+\s+(\d+)/.exec(
          await vpp.show("buffers"),
        )?.[1],
      );
      const off = Math.abs(buffers - sizes.buffers) / sizes.buffers;
      assert(off < 0.02, `${buffers} buffers, ${sizes.buffers} foreseen`);
      const errors = Deno.readTextFileSync(`${directory}/vpp.log`);
      assert(!/unknown input|parse error/.test(errors), errors);
      const resident = vpp.resident();
      assert(resident < sizes.total, `${resident} octets resident, ${sizes.total} foreseen`);
      console.log(
        `  ${memoryGiB} GiB: ${buffers} buffers, heap ${size(sizes.heap)}, ` +
          `resident ${Math.round(resident / 2 ** 20)} of ${Math.round(sizes.total / 2 ** 20)} MiB`,
      );
    } finally {
      for (const region of ["global_vm", "vpe-api"]) {
        await Deno.remove(`/dev/shm/${prefix}-${region}`).catch(() => {});
      }
      Deno.removeSync(directory, { recursive: true });
    }
  }, missing);
}

interface Running extends AsyncDisposable {
  show(what: string): Promise<string>;
  /** Octets of memory that the process holds. */
  resident(): number;
}

async function start({ paths }: Wish, directory: string): Promise<Running> {
  const child = new Deno.Command(paths.binary, {
    args: ["-c", `${directory}/startup.conf`],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let ended = false;
  const end = child.status.then(() => ended = true);
  let client: VppClient | undefined;
  const stop = async (): Promise<void> => {
    await client?.close();
    if (!ended) child.kill("SIGKILL");
    await end;
  };
  try {
    await until("VPP answers", async () => {
      if (ended) throw new Error("VPP has ended");
      client = await VppClient.connect({ path: paths.apiSocket, name: "test" });
      return true;
    }, 60_000);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    show: async (what) =>
      (await client?.request("cli_inband", { cmd: `show ${what}` }))?.reply ?? "",
    resident: () => {
      const status = Deno.readTextFileSync(`/proc/${child.pid}/status`);
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
    },
    [Symbol.asyncDispose]: stop,
  };
}

function size(octets: number): string {
  return octets % GIB === 0 ? `${octets / GIB}g` : `${octets / 2 ** 20}m`;
}
