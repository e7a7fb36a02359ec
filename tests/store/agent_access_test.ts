/** An agent's way into a store that lets nobody in without a certificate, or a user's password. */
import { assertEquals, assertStringIncludes } from "@contiv/assert";
import { syncedKey } from "@contiv/model";
import { EtcdStore, readStoreAccess, type StoreAccess } from "@contiv/store";
import { agentPermissions } from "../../deploy/sandbox/agent_permissions.ts";
import { selfCommand } from "../../deploy/sandbox/role_process.ts";
import { register } from "../support/kubernetes_nodes.ts";
import { Daemon } from "../support/daemon.ts";
import { systemTest } from "../support/requires.ts";
import { run } from "../support/run_command.ts";
import { StoreProcess } from "../support/store_process.ts";

const NODE = "guarded";
const path = (name: string): string => new URL(`testdata/${name}`, import.meta.url).pathname;
const server = { ca: path("ca.pem"), cert: path("server.pem"), key: path("server.key") };
const client = { ca: path("ca.pem"), cert: path("client.pem"), key: path("client.key") };

/** Kubernetes has the node, as KSR says it. */
async function prepare(access: StoreAccess): Promise<void> {
  await using store = EtcdStore.open(readStoreAccess(access));
  const value = new TextEncoder().encode('{"v":1}');
  await store.transact({ then: [{ type: "put", key: syncedKey("nodes"), value }] });
  await register(store, NODE);
}

/** An agent without a VPP, which joins its cluster all the same. */
class GuardedAgent implements Disposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "contiv-access-" });

  /** The command line of an agent with this way into the store. */
  command(store: Readonly<Record<string, unknown>>): readonly string[] {
    const config = {
      nodeName: NODE,
      store,
      vppApiSocket: `${this.directory}/api.sock`,
      cniSocket: `${this.directory}/cni.sock`,
      statusSocket: `${this.directory}/status.sock`,
      stateDir: `${this.directory}/state`,
    };
    const file = `${this.directory}/agent.json`;
    Deno.writeTextFileSync(file, JSON.stringify(config));
    return [...selfCommand(agentPermissions(file)), "agent", "--config", file];
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

for (const kind of ["contiv store", "etcd"] as const) {
  systemTest(`an agent gets into ${kind} by its certificate`, async (t) => {
    await using store = await StoreProcess.start(kind, { tls: server });
    const byName = [store.endpoint.replace("127.0.0.1", "localhost")];
    const byAddress = { endpoints: [store.endpoint], serverName: "store.contiv.test" };
    await prepare({ ...client, ...byAddress });
    const ways = { "by a name": { endpoints: byName }, "by an address": byAddress };
    for (const [name, way] of Object.entries(ways)) {
      await t.step(name, async () => {
        using agent = new GuardedAgent();
        const command = agent.command({ ...way, ...client });
        await using _ = await Daemon.start({ command, ready: /agent started/ });
      });
    }
    await t.step("without one it waits and says why", async () => {
      using agent = new GuardedAgent();
      const command = agent.command({ endpoints: byName, ca: client.ca });
      await using waiting = await Daemon.start({ command, ready: /"cluster not joined/ });
      assertStringIncludes(waiting.output, byName[0] ?? "");
    });
    await t.step("a file that is not there ends it with its name", async () => {
      using agent = new GuardedAgent();
      const [program = "", ...args] = agent.command({ endpoints: byName, ca: "/none/ca.pem" });
      const { code, stderr } = await run(program, args, { check: false });
      assertEquals(code, 2, stderr);
      assertStringIncludes(stderr, "/none/ca.pem is unreadable");
    });
  });
}

systemTest("an agent gets into etcd by its user's password", async (t) => {
  await using store = await StoreProcess.start("etcd");
  await prepare({ endpoints: [store.endpoint] });
  for (
    const words of [
      ["user", "add", "root:secret"],
      ["user", "grant-role", "root", "root"],
      ["role", "add", "agents"],
      ["role", "grant-permission", "agents", "readwrite", "/contiv/", "--prefix"],
      ["user", "add", "agent:pass"],
      ["user", "grant-role", "agent", "agents"],
      ["auth", "enable"],
    ]
  ) await run("etcdctl", ["--endpoints", store.address, ...words], { env: { ETCDCTL_API: "3" } });
  using agent = new GuardedAgent();
  const passwordFile = `${agent.directory}/password`;
  const command = agent.command({ endpoints: [store.endpoint], user: "agent", passwordFile });
  await t.step("a wrong one is waited with, and named", async () => {
    Deno.writeTextFileSync(passwordFile, "wrong\n");
    await using _ = await Daemon.start({ command, ready: /cluster not joined.*authentication/ });
  });
  await t.step("the right one lets it in", async () => {
    Deno.writeTextFileSync(passwordFile, "pass\n");
    await using _ = await Daemon.start({ command, ready: /agent started/ });
  });
});
