import { assert, assertEquals } from "@contiv/assert";
import { denoFlags, ROLE_PERMISSIONS } from "@contiv/permissions";
import { FakeAgent, unusedSocket } from "./_fake_agent.ts";

const MAIN = new URL("../main.ts", import.meta.url).pathname;

async function execute(
  verb: string,
  config: Record<string, unknown>,
): Promise<{ code: number; stdout: string }> {
  const agentSocket = String(config["agentSocket"]);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...denoFlags(ROLE_PERMISSIONS.cni({ agentSocket })), MAIN],
    env: {
      CNI_COMMAND: verb,
      CNI_CONTAINERID: "c1",
      CNI_NETNS: "/var/run/netns/c1",
      CNI_IFNAME: "eth0",
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(config)));
  await writer.close();
  const { code, stdout } = await child.output();
  return { code, stdout: new TextDecoder().decode(stdout) };
}

Deno.test("as a process, contiv is a CNI plugin when CNI_COMMAND is set", async (t) => {
  await using agent = await FakeAgent.start();
  const result = '{"cniVersion":"1.0.0","ips":[]}';
  agent.answer = ({ command }) =>
    command === "ADD" ? { result: new TextEncoder().encode(result) } : {};
  const config = { cniVersion: "1.0.0", name: "contiv", type: "contiv", agentSocket: agent.socket };
  await t.step("ADD prints the result", async () => {
    assertEquals(await execute("ADD", config), { code: 0, stdout: `${result}\n` });
  });
  await t.step("DEL prints nothing", async () => {
    assertEquals(await execute("DEL", config), { code: 0, stdout: "" });
  });
  await t.step("VERSION prints the versions", async () => {
    assertEquals(await execute("VERSION", config), {
      code: 0,
      stdout: '{"cniVersion":"1.0.0","supportedVersions":["0.3.1","0.4.0","1.0.0","1.1.0"]}\n',
    });
  });
  await t.step("an error exits with 1", async () => {
    const { code, stdout } = await execute("GC", config);
    assertEquals([code, JSON.parse(stdout).code], [1, 1]);
  });
  await t.step("without an agent it gives up by itself", async () => {
    const { code, stdout } = await execute("ADD", { ...config, agentSocket: unusedSocket() });
    assertEquals([code, JSON.parse(stdout).code], [1, 11]);
  });
});

interface GraphModule {
  readonly specifier: string;
  readonly dependencies?: readonly { readonly code?: { readonly specifier?: string } }[];
}

Deno.test("what Deno loads before the plugin's first line is little, and all ours", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", MAIN],
    stdout: "piped",
    stderr: "null",
  }).output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as { modules: GraphModule[] };
  const graph = new Map(modules.map((module) => [module.specifier, module]));
  const loaded = new Set([new URL("../main.ts", import.meta.url).href]);
  for (const specifier of loaded) {
    for (const { code } of graph.get(specifier)?.dependencies ?? []) {
      if (code?.specifier !== undefined) loaded.add(code.specifier);
    }
  }
  assertEquals([...loaded].filter((specifier) => !specifier.startsWith("file:")), []);
  assert(loaded.has(new URL("./command.ts", import.meta.url).href), "the graph lacks the plugin");
  assert(loaded.size <= 30, `${loaded.size} files, wanted at most 30`);
});
