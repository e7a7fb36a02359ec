import { assert, assertEquals, assertMatch, assertRejects } from "@contiv/assert";
import { type CommandContext, ExitCode, UsageError } from "@contiv/cli";
import { vppConfigCommand } from "./command.ts";
import { parseStartupConfig } from "./parse_startup_config.ts";
import { CARD, machineFiles, type Shape } from "./testing.ts";

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command on a machine below a directory of its own. */
async function run(
  args: readonly string[],
  shape: Shape = {},
  look: (root: string) => void = () => {},
): Promise<Outcome> {
  const root = Deno.makeTempDirSync({ prefix: "contiv-machine-" });
  const text = { stdout: "", stderr: "" };
  try {
    machineFiles(shape).write(root);
    const context: CommandContext = {
      args: ["--root", root, ...args.map((arg) => arg.replace("ROOT", root))],
      env: { get: () => undefined },
      stdin: { readable: new ReadableStream() },
      stdout: { write: (part: string) => void (text.stdout += part) },
      stderr: { write: (part: string) => void (text.stderr += part) },
      signal: new AbortController().signal,
    } as unknown as CommandContext;
    const code = await vppConfigCommand(context);
    look(root);
    return { code, ...text };
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

Deno.test("the configuration is printed, with explanations on request", async () => {
  const plain = await run(["--pods", "50"]);
  assertEquals([plain.code, plain.stdout.includes("#")], [ExitCode.OK, false]);
  assertEquals(parseStartupConfig(plain.stdout).value("unix", "cli-listen"), "/run/vpp/cli.sock");
  const explained = await run(["--pods", "50", "--explain"]);
  assertMatch(explained.stdout, /# .* 50 pods' rings/);
  // The explanations are all that differs.
  assertEquals(
    parseStartupConfig(explained.stdout).nodes,
    parseStartupConfig(plain.stdout).nodes,
  );
});

Deno.test("the number of pods is the kubelet's where nobody says another", async () => {
  const change = { "/var/lib/kubelet/config.yaml": "maxPods: 30\n" };
  assertMatch((await run(["--explain"], { change })).stdout, / 30 pods' rings/);
  assertMatch((await run(["--explain", "--pods", "40"], { change })).stdout, / 40 pods' rings/);
  assertMatch((await run(["--explain"])).stdout, / 110 pods' rings/);
});

Deno.test("a file is written whole", async () => {
  let written = "";
  const { code, stdout } = await run(["-o", "ROOT/startup.conf"], {}, (root) => {
    written = Deno.readTextFileSync(`${root}/startup.conf`);
    assertEquals([...Deno.readDirSync(root)].filter(({ name }) => name.endsWith(".new")), []);
  });
  assertEquals([code, stdout], [ExitCode.OK, ""]);
  assert(parseStartupConfig(written).has("cpu", "main-core 1"));
  const failed = await run(["-o", "/nonexistent/startup.conf"]);
  assertEquals(failed.code, ExitCode.FAILURE);
  assertMatch(failed.stderr, /Cannot write \/nonexistent\/startup\.conf/);
});

Deno.test("where VPP would not start, nothing is written, and the remedy is said", async () => {
  const { code, stderr, stdout } = await run([], { change: { "/dev/net/tun": undefined } });
  assertEquals([code, stdout], [ExitCode.PREREQUISITE, ""]);
  assertMatch(stderr, /VPP would not start: no \/dev\/net\/tun.*\n {2}remedy: modprobe tun/);
  const works = await run(["--check"], { change: { "/dev/vhost-net": undefined } });
  assertEquals([works.code, works.stdout], [ExitCode.OK, ""]);
  assertMatch(works.stderr, /it works, but: no \/dev\/vhost-net/);
});

Deno.test("a card, paths and a prefix end up where they belong", async () => {
  const args = ["--uplink", CARD, "--runtime-dir", "/run/v", "--prefix", "n1", "--log", "/run/v/l"];
  const { code, stdout } = await run(args, { hugePages: 2_000 });
  assertEquals(code, ExitCode.OK);
  const config = parseStartupConfig(stdout);
  assertEquals(config.value("dpdk", "dev"), CARD);
  assertEquals(config.value("socksvr", "socket-name"), "/run/v/api.sock");
  assertEquals(config.value("api-segment", "prefix"), "n1");
});

Deno.test("a wrong flag is named with its value", async (t) => {
  const cases: [string[], RegExp][] = [
    [["--pods", "0"], /--pods is 0, a whole number from 1 to 1000/],
    [["--pods", "many"], /--pods is many/],
    [["--services", "-1"], /--services/],
    [["--nodes", "70000"], /--nodes is 70000, a whole number from 0 to 65535/],
    [["--workers", "1.5"], /--workers is 1\.5/],
    [["--huge-pages", "some"], /--huge-pages is some, one of auto, always, never/],
    [["--uplink", "eth0"], /--uplink is eth0, a PCI address/],
    [["--log", "vpp.log"], /--log is vpp\.log, an absolute path/],
    [["--runtime-dir", "/run/a b"], /without spaces/],
    [["--prefix", "a/b"], /--prefix is a\/b/],
    [["now"], /Unexpected argument now/],
  ];
  for (const [args, message] of cases) {
    await t.step(args.join(" "), async () => {
      assertMatch((await assertRejects(() => run(args), UsageError)).message, message);
    });
  }
  assertMatch((await run(["--help"])).stdout, /Usage: contiv vpp-config/);
});
