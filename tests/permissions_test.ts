/** Each role does its work with the permissions of the table, and with no others. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  assertThrows,
} from "@contiv/assert";
import { processStart } from "@contiv/libc";
import {
  denoFlags,
  type Permissions,
  PRODUCTION,
  PRODUCTION_OPTIONS,
  renderPermissions,
  ROLE_PERMISSIONS,
} from "@contiv/permissions";
import { EtcdStore } from "@contiv/store";
import type { SupervisorStatus } from "../agent/vpp/mod.ts";
import { parseStartupConfig } from "../agent/vpp_config/mod.ts";
import { machineFiles } from "../agent/vpp_config/testing.ts";
import { agentPermissions } from "../deploy/sandbox/agent_permissions.ts";
import { codeSite, selfCommand } from "../deploy/sandbox/role_process.ts";
import { call, success } from "./support/cni_calls.ts";
import { Daemon } from "./support/daemon.ts";
import { freePorts } from "./support/free_ports.ts";
import { removeIfThere } from "./support/remove_if_there.ts";
import { systemTest } from "./support/requires.ts";
import { run } from "./support/run_command.ts";
import { ScratchNetns } from "./support/scratch_netns.ts";
import { TestNode } from "./support/test_node.ts";
import { until } from "./support/until.ts";

const ROOT = new URL("../", import.meta.url).pathname;

/** A description of an API without messages: the releases known count. */
const NO_MESSAGES = {
  types: [],
  messages: [],
  unions: [],
  enums: [],
  enumflags: [],
  services: {},
  aliases: {},
};

/** Prints what it could do of that which the roles have no business with. */
const TRESPASS = `
  const attempts = {
    "read a file": () => Deno.readTextFileSync("/etc/passwd"),
    "write a file": () => Deno.writeTextFileSync("/var/tmp/contiv-trespass", ""),
    "remove the machine's sockets": () => Deno.removeSync("/run/contiv-trespass.sock"),
    "run a program": () => new Deno.Command("/bin/true").outputSync(),
    "connect to the network": () => Deno.connect({ hostname: "127.0.0.1", port: 9 }),
    "listen on the network": () => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close(),
    "connect to another socket": () => Deno.connect({ transport: "unix", path: "/run/other.sock" }),
    "read the environment": () => Deno.env.get("HOME"),
    "learn who runs it": () => Deno.uid(),
    "read the kernel's files": () => Deno.readTextFileSync("/proc/self/environ"),
    "look at processes": () => Deno.readTextFileSync("/proc/1/stat"),
    "make shared memory": () => Deno.writeTextFileSync("/dev/shm/contiv-trespass", ""),
    "open the C library": () => Deno.dlopen("libc.so.6", {}).close(),
  };
  for (const [name, attempt] of Object.entries(attempts)) {
    try { await attempt(); console.log(name); }
    catch (error) { if (!(error instanceof Deno.errors.NotCapable)) console.log(name, error.name); }
  }`;

for (
  const [role, permissions, may] of [
    ["agent", ROLE_PERMISSIONS.agent(PRODUCTION.agent), ["open the C library"]],
    [
      "agent that starts VPP",
      ROLE_PERMISSIONS.agent({ ...PRODUCTION.agent, vpp: PRODUCTION_OPTIONS.vpp }),
      ["open the C library"],
    ],
    ["vswitch", ROLE_PERMISSIONS.vswitch(PRODUCTION.vswitch), ["open the C library"]],
    ["cni", ROLE_PERMISSIONS.cni(PRODUCTION.cni), []],
    ["store", ROLE_PERMISSIONS.store(PRODUCTION.store), []],
    [
      "vpp-config",
      ROLE_PERMISSIONS["vpp-config"](PRODUCTION["vpp-config"]),
      ["open the C library"],
    ],
  ] as const
) {
  Deno.test(`${role} can do nothing that is not in its list`, async () => {
    const { stdout } = await run(
      Deno.execPath(),
      ["run", "--quiet", "--no-config", ...denoFlags(permissions), "-"],
      { stdin: TRESPASS },
    );
    assertEquals(stdout.trim().split("\n").filter((line) => line !== ""), [...may]);
  });
}

/** The kinds that the single binary, which is built with all, still has after some code. */
async function kept(code: string): Promise<readonly string[]> {
  const module = new URL("../mod/permissions/mod.ts", import.meta.url).href;
  const script = `
    const { giveBack, keepOnly, PRODUCTION, PRODUCTION_OPTIONS, ROLE_PERMISSIONS } =
      await import(${JSON.stringify(module)});
    ${code}
    for (const name of ["read", "write", "net", "env", "sys", "run", "ffi", "import"]) {
      if ((await Deno.permissions.query({ name })).state === "granted") console.log(name);
    }`;
  const { stdout } = await run(
    Deno.execPath(),
    ["run", "--quiet", "--no-config", "--no-prompt", "--allow-all", "-"],
    { stdin: script },
  );
  return stdout.trim().split("\n");
}

Deno.test("what the single binary is built with and the role lacks is given back", async (t) => {
  for (
    const [role, kinds] of [
      ["cni", ["read", "write", "net", "env"]],
      ["store", ["read", "write", "net", "env"]],
      ["vpp-config", ["read", "write", "ffi"]],
      // Which of it this one needs, its configuration says.
      ["agent", ["read", "write", "net", "env", "sys", "run", "ffi"]],
    ] as const
  ) {
    await t.step(role, async () => assertEquals(await kept(`await giveBack("${role}");`), kinds));
  }
});

Deno.test("an agent that has read its configuration gives back what it does not ask for", async (t) => {
  const lone = ["read", "write", "net", "sys", "ffi"];
  for (
    const [site, kinds] of [
      ["{}", lone],
      ["{ vpp: PRODUCTION_OPTIONS.vpp }", lone.toSpliced(4, 0, "run")],
      ["{ store: PRODUCTION_OPTIONS.store }", lone.toSpliced(3, 0, "env")],
    ] as const
  ) {
    await t.step(site, async () => {
      const agent = `ROLE_PERMISSIONS.agent({ ...PRODUCTION.agent, ...${site} })`;
      assertEquals(await kept(`await giveBack("agent"); await keepOnly(${agent});`), kinds);
    });
  }
});

Deno.test("the documents say what the table says", () => {
  const document = Deno.readTextFileSync(`${ROOT}docs/permissions.md`);
  assertEquals(document, renderPermissions(), "run deno task gen:permissions");
  const readme = Deno.readTextFileSync(`${ROOT}README.md`).replace(/\\\n\s*/g, "");
  assertStringIncludes(readme, denoFlags(ROLE_PERMISSIONS.cni(PRODUCTION.cni)).join(" "));
});

/** What goes before a command whose requests to Deno are to be noted in a file. */
function auditTo(log: string): readonly string[] {
  return ["env", `DENO_AUDIT_PERMISSIONS=${log}`];
}

/** What a process asked Deno for, by the kind of permission. */
function asked(log: string): Record<string, string[]> {
  const all: Record<string, string[]> = {};
  for (const line of Deno.readTextFileSync(log).trim().split("\n")) {
    const { permission, value } = JSON.parse(line) as { permission: string; value?: string };
    (all[permission] ??= []).push(String(value ?? "").replace(/^file:\/\//, ""));
  }
  return all;
}

/** The entries that a process never needed, but of programs, of which Deno takes no note. */
function idle(permissions: Permissions, log: string): readonly string[] {
  const needed = asked(log);
  return Object.entries(permissions).flatMap(([kind, granted]) => {
    if (kind === "run") return [];
    const values = needed[kind] ?? [];
    if (granted === "all") return values.length > 0 ? [] : [kind];
    return (granted as readonly string[]).filter((entry) => {
      const start = entry.endsWith("*") ? entry.slice(0, -1) : `${entry}/`;
      return !values.some((value) => value === entry || value.startsWith(start));
    }).map((entry) => `${kind} ${entry}`);
  });
}

systemTest("a list has nothing that its role does not need", async (t) => {
  await using node = await TestNode.start();
  const log = (role: string): string => `${node.directory}/${role}.audit`;
  for (const role of ["agent", "vswitch"] as const) await node.kill(role);
  for (const role of ["vswitch", "agent"] as const) {
    node.sandbox.start(role, (command) => [...auditTo(log(role)), ...command]);
  }
  await node.sandbox.untilReady(AbortSignal.timeout(30_000));
  using netns = new ScratchNetns(node, "listed");
  success(await node.cni(call("ADD", "listed", netns)));
  const permissions = ROLE_PERMISSIONS.cni({ agentSocket: node.sandbox.sockets.cni });
  const [program = "", ...words] = selfCommand(permissions);
  const { stdout } = await run(program, words, {
    env: {
      DENO_AUDIT_PERMISSIONS: log("cni"),
      CNI_COMMAND: "DEL",
      CNI_CONTAINERID: "listed",
      CNI_NETNS: netns.path,
      CNI_IFNAME: "eth0",
      CNI_PATH: "/opt/cni/bin",
    },
    stdin: JSON.stringify(node.sandbox.networkConfig),
  });
  assertEquals(stdout, "");
  const apiSocket = node.sandbox.sockets.vpp;
  const lists: readonly (readonly [string, Permissions])[] = [
    ["agent", agentPermissions(node.agentConfig)],
    ["vswitch", ROLE_PERMISSIONS.vswitch({ ...codeSite(), apiSocket })],
    ["cni", permissions],
  ];
  for (const [role, list] of lists) {
    await t.step(role, () => {
      assert(Object.keys(asked(log(role))).length > 2, "nothing was asked for");
      assertEquals(idle(list, log(role)), []);
    });
  }
});

async function withDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync({ prefix: "contiv-permissions-" });
  try {
    await body(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("the store keeps and tells with its list, which has nothing idle", () =>
  withDirectory(async (directory) => {
    const data = `${directory}/data/store.db`;
    const [port = 0] = freePorts(1);
    const listen = [`unix:${directory}/run/store.sock`, `http://127.0.0.1:${port}`];
    const permissions = ROLE_PERMISSIONS.store({ ...codeSite(), data, listen });
    const log = `${directory}/audit`;
    const flags = ["--data", data, "--listen", listen.join(",")];
    await using _store = await Daemon.start({
      command: [...auditTo(log), ...selfCommand(permissions), "store", ...flags],
      ready: /contiv store ready/,
    });
    for (const endpoint of listen) {
      await using store = EtcdStore.open({ endpoints: [endpoint], timeoutMs: 10_000 });
      const value = new TextEncoder().encode(endpoint);
      await store.transact({ then: [{ type: "put", key: "/listed", value }] });
    }
    assertEquals(idle(permissions, log), []);
  }));

Deno.test("vpp-config looks at a machine with its list, which has nothing idle", () =>
  withDirectory(async (directory) => {
    // Its files are no more readable for Deno with this list than the kernel's.
    const root = `${directory}/machine`;
    machineFiles().write(root);
    const output = `${directory}/startup.conf`;
    const permissions = ROLE_PERMISSIONS["vpp-config"]({ ...codeSite(), output });
    const log = `${directory}/audit`;
    const [program = "", ...words] = [...auditTo(log), ...selfCommand(permissions)];
    await run(program, [...words, "vpp-config", "--root", root, "--output", output]);
    assert(parseStartupConfig(Deno.readTextFileSync(output)).has("unix", "nodaemon"));
    assertEquals(idle(permissions, log), []);
  }));

systemTest(
  "an agent starts VPP and reads how it describes its API, with nothing idle",
  async () => {
    await using node = await TestNode.start();
    const directory = `${node.directory}/vpp`;
    Deno.mkdirSync(`${directory}/api`, { recursive: true });
    const apiSocket = `${directory}/api.sock`;
    const binary = `${directory}/vpp`;
    const startupConfig = `${directory}/startup.conf`;
    const vswitch = selfCommand(ROLE_PERMISSIONS.vswitch({ ...codeSite(), apiSocket }));
    const words = [...vswitch, "vswitch", "--api-socket", apiSocket].map((word) => `'${word}'`);
    // What it asks for is not the agent's.
    const script = `#!/bin/sh\nunset DENO_AUDIT_PERMISSIONS\nexec ${words.join(" ")}\n`;
    Deno.writeTextFileSync(binary, script, { mode: 0o755 });
    Deno.writeTextFileSync(startupConfig, `api-segment { prefix listed${Deno.pid} }\n`);
    Deno.writeTextFileSync(`${directory}/api/some.api.json`, JSON.stringify(NO_MESSAGES));
    const segment = `/dev/shm/listed${Deno.pid}-vpe-api`;
    Deno.writeTextFileSync(segment, "what a killed VPP left");
    const log = `${directory}/audit`;
    const record = `${node.directory}/sandbox/node1/state/vpp.pid`;
    try {
      node.changeAgentConfig({
        vppApiSocket: apiSocket,
        vppApiFiles: `${directory}/api`,
        vpp: { supervise: true, binary, startupConfig },
      });
      await node.kill("agent");
      node.sandbox.start("agent", (command) => [...auditTo(log), ...command]);
      await node.sandbox.untilReady(AbortSignal.timeout(30_000));
      const { vppProcess } = await node.status<{ vppProcess: SupervisorStatus }>("/status");
      assertEquals([vppProcess.state, vppProcess.starts], ["running", 1]);
      assertMatch(node.log("agent"), /event="api files read".* messages=0/);
      assertThrows(() => Deno.statSync(segment), Deno.errors.NotFound);
      assertEquals(idle(agentPermissions(node.agentConfig), log), []);
      // The next agent knows the process again.
      await node.kill("agent");
      await node.restart("agent");
      const next = await node.status<{ vppProcess: SupervisorStatus }>("/status");
      assertEquals([next.vppProcess.state, next.vppProcess.pid], ["adopted", vppProcess.pid]);
    } finally {
      // The agent would start another one.
      await node.kill("agent");
      removeIfThere(segment);
      const { pid } = JSON.parse(Deno.readTextFileSync(record)) as { pid: number };
      Deno.kill(pid, "SIGTERM");
      await until("the data plane has ended", () => processStart(node.libc, pid) === undefined);
    }
  },
);
