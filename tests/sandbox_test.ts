/** The demo as a user runs it. */
import { assertEquals, assertMatch, assertStringIncludes } from "@contiv/assert";
import { selfCommand } from "../deploy/sandbox/role_process.ts";
import { dataPlaneTest, systemTest } from "./support/requires.ts";
import { run } from "./support/run_command.ts";
import { until } from "./support/until.ts";

const [program = "", ...words] = selfCommand();
const contiv = (...args: string[]): ReturnType<typeof run> =>
  run(program, [...words, ...args], { check: false, limitMs: 90_000 });

let counter = 0;
const uniqueName = (): string => `s${Deno.pid}-${counter++}`;

async function namespacesOf(name: string): Promise<string[]> {
  const { stdout } = await run("ip", ["netns", "list"]);
  return stdout.split("\n").filter((line) => line.startsWith(`contiv-${name}-`));
}

dataPlaneTest("the demo shows a matrix without a wrong cell, a trace, and cleans up", async (
  dataPlane,
) => {
  const name = uniqueName();
  const flags = ["--name", name, "--vswitch", dataPlane.kind];
  if (dataPlane.kind === "vpp") flags.push("--vpp-transport", dataPlane.transport ?? "auto");
  const { code, stdout, stderr } = await contiv("sandbox", "demo", ...flags);
  assertEquals(code, 0, stdout + stderr);
  assertMatch(stdout, /FROM\s+TO\s+ICMP4\s+TCP4\s+UDP4\s+ICMP6\s+TCP6\s+UDP6/);
  assertMatch(stdout, /pod1\s+pod2(\s+[0-9.]+ ms){6}/);
  assertMatch(stdout, /pod3\s+gateway\s+[0-9.]+ ms\s+-\s+-\s+[0-9.]+ ms/);
  assertStringIncludes(stdout, "ip4-lookup");
  assertEquals(await namespacesOf(name), []);
  assertEquals([...Deno.readDirSync("/dev/shm")].filter((file) => file.name.includes(name)), []);
});

systemTest("up, status, exec and down work one after the other", async () => {
  const name = uniqueName();
  try {
    const up = await contiv("sandbox", "up", "--name", name, "--pods", "2");
    assertEquals(up.code, 0, up.stdout + up.stderr);
    const status = await contiv("sandbox", "status", "--name", name);
    assertEquals(status.code, 0, status.stdout + status.stderr);
    assertStringIncludes(status.stdout, "agent ready");
    const again = await contiv("sandbox", "up", "--name", name);
    assertEquals(again.code, 1);
    assertStringIncludes(again.stderr, "it is up already");
    const exec = await contiv("sandbox", "exec", "--name", name, "pod1", "--", "ip", "addr");
    assertStringIncludes(exec.stdout, "10.1.1.2/32");
    const failing = await contiv(
      "sandbox",
      "exec",
      "--name",
      name,
      "pod1",
      "--",
      "sh",
      "-c",
      "exit 7",
    );
    assertEquals(failing.code, 7);
    const unknown = await contiv("sandbox", "exec", "--name", name, "pod9", "--", "true");
    assertEquals(unknown.code, 1);
    assertStringIncludes(unknown.stderr, '"pod9"');
  } finally {
    const down = await contiv("sandbox", "down", "--name", name);
    assertEquals(down.code, 0, down.stderr);
  }
  assertEquals(await namespacesOf(name), []);
  const { code, stderr } = await contiv("sandbox", "status", "--name", name);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "has none");
});

systemTest("nodes join and leave a cluster, and its pods are wired by name", async () => {
  const name = uniqueName();
  const flags = ["--name", name];
  try {
    const up = await contiv("sandbox", "up", ...flags, "--nodes", "2", "--pods", "2");
    assertEquals(up.code, 0, up.stdout + up.stderr);
    const again = await contiv("sandbox", "up", ...flags);
    assertEquals(again.code, 1);
    assertStringIncludes(again.stderr, "it is up already");
    const join = await contiv("sandbox", "node", "add", ...flags);
    assertEquals(join.code, 0, join.stderr);
    const add = await contiv("sandbox", "add", "pod3", ...flags);
    assertMatch(add.stdout, /pod3\s+10\.1\.[123]\.2/);
    const [address = ""] = /10\.1\.\d\.2/.exec(add.stdout) ?? [];
    const ping = await contiv("sandbox", "exec", ...flags, "pod1", "--", "ping", "-c1", address);
    assertEquals(ping.code, 0, ping.stdout);
    const leave = await contiv("sandbox", "node", "remove", "node2", ...flags);
    assertEquals(leave.code, 0, leave.stderr);
    const status = await contiv("sandbox", "status", ...flags);
    assertEquals(status.code, 0, status.stdout);
    assertMatch(status.stdout, /node3 +[123] +10\.1\.[123]\.0\/24, fd10:1::[123]00\/120 +ready/);
    assertEquals(/node2|pod2/.test(status.stdout), false, status.stdout);
  } finally {
    const down = await contiv("sandbox", "down", ...flags);
    assertEquals(down.code, 0, down.stderr);
  }
  assertEquals(await namespacesOf(name), []);
});

systemTest("the demo cleans up after Ctrl-C", async () => {
  const name = uniqueName();
  const child = new Deno.Command(program, {
    args: [...words, "sandbox", "demo", "--name", name],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  await until("the demo has a namespace", async () => (await namespacesOf(name)).length > 0);
  child.kill("SIGINT");
  while (!(await reader.read()).done);
  assertEquals((await child.status).code, 1);
  assertEquals(await namespacesOf(name), []);
});

systemTest("without its rights the sandbox says what is missing, and which setting", async () => {
  // In a user namespace where no further one is allowed.
  const script = 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"';
  const { code, stderr } = await run(
    "unshare",
    ["--user", "--map-root-user", "sh", "-c", script, "sh"]
      .concat("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--")
      .concat(program, ...words, "sandbox", "up"),
    { check: false },
  );
  assertEquals(code, 4, stderr);
  assertStringIncludes(stderr, "CAP_SYS_ADMIN");
  assertStringIncludes(stderr, "user.max_user_namespaces is 0");
});
