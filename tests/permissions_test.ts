/** Each role does its work with the permissions of the table, and with no others. */
import { assert, assertEquals, assertStringIncludes } from "@contiv/assert";
import {
  denoFlags,
  type Permissions,
  PRODUCTION,
  renderPermissions,
  ROLE_PERMISSIONS,
} from "@contiv/permissions";
import { agentPermissions } from "../deploy/sandbox/agent_permissions.ts";
import { codeSite, selfCommand } from "../deploy/sandbox/role_process.ts";
import { call, success } from "./support/cni_calls.ts";
import { systemTest } from "./support/requires.ts";
import { run } from "./support/run_command.ts";
import { ScratchNetns } from "./support/scratch_netns.ts";
import { TestNode } from "./support/test_node.ts";

const ROOT = new URL("../", import.meta.url).pathname;

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
    "open the C library": () => Deno.dlopen("libc.so.6", {}).close(),
  };
  for (const [name, attempt] of Object.entries(attempts)) {
    try { await attempt(); console.log(name); }
    catch (error) { if (!(error instanceof Deno.errors.NotCapable)) console.log(name, error.name); }
  }`;

for (
  const [role, permissions, may] of [
    ["agent", ROLE_PERMISSIONS.agent(PRODUCTION.agent), ["open the C library"]],
    ["vswitch", ROLE_PERMISSIONS.vswitch(PRODUCTION.vswitch), ["open the C library"]],
    ["cni", ROLE_PERMISSIONS.cni(PRODUCTION.cni), []],
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

Deno.test("what the single binary is built with and the plugin lacks is given back", async () => {
  const module = new URL("../mod/permissions/give_back.ts", import.meta.url).href;
  const script = `
    const { giveBack } = await import(${JSON.stringify(module)});
    await giveBack("cni");
    for (const name of ["read", "write", "net", "env", "sys", "run", "ffi", "import"]) {
      if ((await Deno.permissions.query({ name })).state === "granted") console.log(name);
    }`;
  const { stdout } = await run(
    Deno.execPath(),
    ["run", "--quiet", "--no-config", "--no-prompt", "--allow-all", "-"],
    { stdin: script },
  );
  assertEquals(stdout.trim().split("\n"), ["read", "write", "net", "env"]);
});

Deno.test("the documents say what the table says", () => {
  const document = Deno.readTextFileSync(`${ROOT}docs/permissions.md`);
  assertEquals(document, renderPermissions(), "run deno task gen:permissions");
  const readme = Deno.readTextFileSync(`${ROOT}README.md`).replace(/\\\n\s*/g, "");
  assertStringIncludes(readme, denoFlags(ROLE_PERMISSIONS.cni(PRODUCTION.cni)).join(" "));
});

/** What a process asked Deno for, by the kind of permission. */
function asked(log: string): Record<string, string[]> {
  const all: Record<string, string[]> = {};
  for (const line of Deno.readTextFileSync(log).trim().split("\n")) {
    const { permission, value } = JSON.parse(line) as { permission: string; value?: string };
    (all[permission] ??= []).push(String(value ?? "").replace(/^file:\/\//, ""));
  }
  return all;
}

/** The entries that a process never needed. */
function idle(permissions: Permissions, log: string): readonly string[] {
  const needed = asked(log);
  return Object.entries(permissions).flatMap(([kind, granted]) => {
    const values = needed[kind] ?? [];
    if (granted === "all") return values.length > 0 ? [] : [kind];
    return (granted as readonly string[]).filter((entry) =>
      !values.some((value) => value === entry || value.startsWith(`${entry}/`))
    ).map((entry) => `${kind} ${entry}`);
  });
}

systemTest("a list has nothing that its role does not need", async (t) => {
  await using node = await TestNode.start();
  const log = (role: string): string => `${node.directory}/${role}.audit`;
  for (const role of ["agent", "vswitch"] as const) await node.kill(role);
  for (const role of ["vswitch", "agent"] as const) {
    const audit = ["env", `DENO_AUDIT_PERMISSIONS=${log(role)}`];
    node.sandbox.start(role, (command) => [...audit, ...command]);
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
    ["agent", agentPermissions(`${node.directory}/sandbox/node1/agent.json`)],
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
