import { assert, assertEquals, assertMatch } from "@contiv/assert";
import { Libc, NetNs, RtNetlink } from "@contiv/libc";
import { ROLE_PERMISSIONS } from "@contiv/permissions";
import { type Input, VppClient } from "@contiv/vppapi";
import { codeSite, selfCommand } from "../../deploy/sandbox/role_process.ts";
import { systemTest } from "../support/requires.ts";
import { until } from "../support/until.ts";
import { NONE } from "./values.ts";

function start(socket: string): Deno.ChildProcess {
  const permissions = ROLE_PERMISSIONS.vswitch({ ...codeSite(), apiSocket: socket });
  const [program = "", ...words] = selfCommand(permissions);
  return new Deno.Command(program, {
    args: [...words, "vswitch", "--api-socket", socket],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function ready(child: Deno.ChildProcess): Promise<string> {
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  void reader.cancel();
  return new TextDecoder().decode(value);
}

async function end(child: Deno.ChildProcess, signal: Deno.Signal): Promise<number> {
  child.kill(signal);
  void child.stderr.cancel();
  return (await child.status).code;
}

systemTest(
  "the vswitch process starts once, stops when told, and leaves what persists",
  async (t) => {
    const folder = await Deno.makeTempDir({ prefix: "contiv-vswitch-" });
    const socket = `${folder}/api.sock`;
    const path = `${folder}/netns`;
    using libc = Libc.open();
    NetNs.create(libc, path).close();
    const tap = (tap_flags: number): Input<"tap_create_v3"> => ({
      id: NONE,
      host_namespace_set: true,
      host_namespace: path,
      host_if_name_set: true,
      host_if_name: "eth0",
      tap_flags,
    });
    const hasTap = (): boolean => {
      using namespace = NetNs.open(libc, path);
      using netlink = RtNetlink.open(libc, namespace);
      return netlink.link("eth0") !== undefined;
    };
    let child = start(socket);
    try {
      assertMatch(
        await ready(child),
        new RegExp(`^contiv vswitch ready: api ${socket}, pid \\d+\n$`),
      );

      await t.step("a second one is refused and names the first", async () => {
        const second = start(socket);
        const { code, stderr } = await second.output();
        assertEquals(code, 3);
        assertMatch(
          new TextDecoder().decode(stderr),
          new RegExp(`process ${child.pid} `),
        );
      });

      await t.step("SIGTERM ends it with 0 and without its socket; the TAP stays", async () => {
        {
          await using vpp = await VppClient.connect({ path: socket, name: "test" });
          await vpp.request("tap_create_v3", tap(4));
        }
        assertEquals(await end(child, "SIGTERM"), 0);
        assert(hasTap());
        await until("the socket is gone", () => !existsSync(socket));
      });

      await t.step("the next one replaces what a killed one left, and attaches again", async () => {
        child = start(socket);
        await ready(child);
        await end(child, "SIGKILL");
        child = start(socket);
        await ready(child);
        await using vpp = await VppClient.connect({ path: socket, name: "test" });
        const { sw_if_index } = await vpp.request("tap_create_v3", tap(4 | 8));
        await vpp.request("tap_delete_v2", { sw_if_index });
        await until("the TAP is gone", () => !hasTap());
      });
    } finally {
      await end(child, "SIGTERM").catch(() => {});
      NetNs.remove(libc, path);
      await Deno.remove(folder, { recursive: true });
    }
  },
);

function existsSync(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
