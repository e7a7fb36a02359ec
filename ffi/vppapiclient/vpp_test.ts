/** Against a real VPP; see real_vpp_testing.ts. */
import { assert, assertEquals, assertRejects } from "@contiv/assert";
import { ApiDirectory, Schema, VppApiError, VppClient, VppConnectionError } from "@contiv/vppapi";
import { readErrors, readInterfaces, readNodes } from "./counters.ts";
import { VppStatsError } from "./error.ts";
import { vppTest } from "./real_vpp_testing.ts";
import { StatsClient } from "./stats_client.ts";

const CORE = ["control_ping", "show_version", "sw_interface_dump", "ip_route_add_del_v2"] as const;
const RUNS = Number(Deno.env.get("CONTIV_VPP_RUNS") ?? 5);

vppTest("shared memory carries what the socket carries", async (real) => {
  for (const connect of [() => real.overSocket(), () => real.overSharedMemory()]) {
    await using vpp = await connect();
    assertEquals((await vpp.request("show_version")).version.slice(0, 5), Schema.builtin().version);
    assertEquals(vpp.missing(CORE), []);
    const { sw_if_index } = await vpp.request("create_loopback_instance", {});
    assertEquals((await vpp.dump("sw_interface_dump")).at(-1)?.sw_if_index, sw_if_index);
    await vpp.request("delete_loopback", { sw_if_index });
    const refused = () => vpp.request("sw_interface_set_flags", { sw_if_index: 0xfffffffe });
    assertEquals((await assertRejects(refused, VppApiError)).code, "INVALID_SW_IF_INDEX");
    const { reply } = await vpp.request("cli_inband", { cmd: "show api message-table" });
    assert(reply.includes("control_ping") && reply.length > 10_000, `${reply.length} bytes`);
    const order: number[] = [];
    await Promise.all(Array.from({ length: 5_000 }, async (_, index) => {
      await vpp.request("control_ping");
      order.push(index);
    }));
    assertEquals(order, order.toSorted((a, b) => a - b));
  }
});

vppTest("VPP's own descriptions say what is compiled in, and are spoken by", async (real) => {
  const described = new ApiDirectory(real.apiFiles).load();
  assert(described !== undefined, `no *.api.json in ${real.apiFiles}`);
  const builtin = Schema.builtin();
  const both = builtin.names().filter((name) => described.has(name));
  assert(both.length > 100, `${both.length} messages described`);
  for (const name of both) {
    const [theirs, ours] = [described.message(name), builtin.message(name)];
    assertEquals([theirs.key, theirs.reply], [ours.key, ours.reply]);
    assertEquals(theirs.body, ours.body);
  }
  await using vpp = await VppClient.connect({ path: real.apiSocket, name: "test", described });
  assertEquals(vpp.missing(CORE), []);
  const { sw_if_index } = await vpp.request("create_loopback_instance", {});
  const [link] = await vpp.dump("sw_interface_dump", { sw_if_index });
  assertEquals(link?.sw_if_index, sw_if_index);
});

vppTest("shared memory works without the socket, at VPP's own pace", async (real) => {
  await using vpp = await real.overSharedMemory(false);
  assertEquals((await vpp.request("control_ping")).vpe_pid, real.pid);
});

vppTest("connections come and go without growth", async (real) => {
  const script = new URL("./come_and_go_testing.ts", import.meta.url).pathname;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const batches = 6;
  const { code, stderr, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", "--v8-flags=--expose-gc", "--config", config, script]
      .concat([real.library.path, real.prefix, real.apiSocket, `${batches}`, `${4 * RUNS}`]),
    signal: AbortSignal.timeout(600_000),
  }).output();
  // It ends by itself: no thread and no descriptor keeps it.
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  const lines = new TextDecoder().decode(stdout).trim().split("\n").map((line) => {
    return line.split(" ").map(Number) as [memory: number, descriptors: number];
  });
  assertEquals(lines.length, batches);
  const [first, last] = [lines[2], lines.at(-1)];
  assert(first !== undefined && last !== undefined);
  assertEquals(last[1], first[1], "descriptors");
  // The collector's own room grows in steps; 2,000 message tables would be hundreds of MiB.
  assert(last[0] < first[0] + 24, `${first[0]} MiB, then ${last[0]}`);
  console.log(
    `  ${batches * 4 * RUNS} connections: ${lines.map(([m]) => m.toFixed(0)).join(", ")} MiB`,
  );
});

// docs/decisions/0042-farewell.md
vppTest("VPP serves on after clients that came, asked much and went", async (real) => {
  // Behind 16 that it did not see go, VPP serves nobody.
  for (let round = 0; round < 8 * RUNS; round++) {
    await using vpp = await real.overSocket();
    await Promise.all(Array.from({ length: 10_000 }, () => vpp.request("control_ping")));
  }
  await using vpp = await real.overSocket();
  const { reply } = await vpp.request("cli_inband", { cmd: "show api clients" });
  const clients = reply.split("\n").filter((line) => /\btest\b/.test(line));
  assertEquals(clients.length, 1, reply);
});

vppTest(
  "VPP killed in mid-call is an error within 3 s, and the next VPP is reached",
  async (real) => {
    let seed = 7;
    for (let run = 0; run < RUNS; run++) {
      const vpp: VppClient = await real.overSharedMemory(run % 4 !== 3);
      // At any point: before, while or after requests of any kind are under way.
      const calls = Promise.allSettled(Array.from({ length: 3_000 }, async (_, index) => {
        if (index % 10 === 0) await vpp.dump("sw_interface_dump");
        else if (index % 97 === 1) await vpp.request("cli_inband", { cmd: "show node" });
        else await vpp.request("control_ping");
      }));
      seed = Math.imul(seed, 48_271) % 2_147_483_647;
      await new Promise((resolve) => setTimeout(resolve, Math.abs(seed) % 120));
      const killed = performance.now();
      await real.kill();
      const end = await vpp.closed;
      const results = await calls;
      const waited = performance.now() - killed;
      assertEquals(end.code, "lost");
      assert(waited < 3_000, `${waited} ms`);
      for (const result of results) {
        if (result.status === "rejected") assert(result.reason instanceof VppConnectionError);
      }
      await assertRejects(() => real.overSharedMemory(), VppConnectionError);
      await real.launch();
      await using next = await real.overSharedMemory();
      assertEquals((await next.request("control_ping")).vpe_pid, real.pid);
    }
  },
);

vppTest("counters are those that VPP's CLI shows, also after it was restarted", async (real) => {
  await using stats = new StatsClient({
    library: real.library,
    path: real.statsSocket,
    trustMs: 0,
  });
  const compare = async (): Promise<void> => {
    await using vpp = await real.overSocket();
    for (let i = 0; i < 20; i++) await vpp.request("create_loopback_instance");
    await traffic(vpp);
    const interfaces = await readInterfaces(stats);
    assertEquals(
      interfaces.map(({ swIfIndex, name }) => [swIfIndex, name]),
      (await vpp.dump("sw_interface_dump")).map((link) => [link.sw_if_index, link.interface_name]),
    );
    assertEquals(interfaces.find(({ name }) => name === "loop0")?.rx.packets, 37n);
    const { reply } = await vpp.request("cli_inband", { cmd: "show interface" });
    assertEquals(interfaces.flatMap(shown), parseInterfaces(reply));
    const errors = await vpp.request("cli_inband", { cmd: "show errors" });
    const counted = (await readErrors(stats)).filter(({ node }) => node !== "");
    assertEquals(
      counted.map(({ node, count }) => `${node} ${count}`).toSorted(),
      parseErrors(errors.reply).toSorted(),
    );
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const nodes = await readNodes(stats);
    assertEquals(nodes.find(({ name }) => name === "ip4-input")?.vectors, 37n);
  };
  await compare();
  await real.kill();
  await assertRejects(() => stats.read(["^/if/"]), VppStatsError);
  await real.launch();
  await compare();
});

vppTest("counters of 110 interfaces under traffic are VPP's, and never go back", async (real) => {
  const count = 110;
  await using vpp = await real.overSocket();
  await using stats = new StatsClient({ library: real.library, path: real.statsSocket });
  const run = async (cmd: string): Promise<string> =>
    (await vpp.request("cli_inband", { cmd }, { timeoutMs: 60_000 })).reply;
  for (let i = 0; i < count; i++) {
    await vpp.request("create_loopback_instance");
    await run(`set interface state loop${i} up`);
    await run(`set interface ip address loop${i} 10.${i + 1}.0.1/24`);
    // Each receives a number of packets of its own, over about a second.
    await run(
      `packet-generator new { name s${i} limit ${100 + i} rate 200 size 98-98 interface loop${i} ` +
        `node ip4-input data { UDP: 10.${i + 1}.0.2 -> 10.250.0.1 UDP: 1 -> 2 incrementing 30 } }`,
    );
  }
  await run("packet-generator enable-stream");
  const costs: number[] = [];
  const last = new Map<number, bigint>();
  let changes = 0;
  for (const deadline = performance.now() + 30_000;;) {
    const start = performance.now();
    const interfaces = await readInterfaces(stats);
    costs.push(performance.now() - start);
    for (const { swIfIndex, rx } of interfaces) {
      const before = last.get(swIfIndex) ?? 0n;
      assert(rx.packets >= before, `interface ${swIfIndex}: ${before} packets, then ${rx.packets}`);
      if (rx.packets > before) changes++;
      last.set(swIfIndex, rx.packets);
    }
    // All of it has been received, and has gone where it belongs: nowhere.
    const done = interfaces.filter(({ counts, name, rx }) => {
      const [, loop = ""] = /^loop(\d+)$/.exec(name) ?? [];
      const wanted = BigInt(100 + Number(loop));
      return loop !== "" && rx.packets === wanted && counts["drops"] === wanted;
    });
    if (done.length === count) break;
    assert(performance.now() < deadline, `the traffic does not end: ${[...last.values()]}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert(changes > count, "no read fell into the traffic");
  const interfaces = await readInterfaces(stats);
  const cli = parseInterfaces(await run("show interface"));
  assert(cli.length >= count, `${cli.length} counters shown`);
  assertEquals(interfaces.flatMap(shown).toSorted(), cli.toSorted());
  const median = costs.toSorted((a, b) => a - b)[costs.length >> 1] ?? 0;
  console.log(
    `  ${costs.length} reads of ${count} interfaces under traffic, ${median.toFixed(2)} ms each`,
  );
});

/** Makes loopback 1 receive packets: to itself, to others, nonsense. */
async function traffic(vpp: VppClient): Promise<void> {
  const run = async (cmd: string): Promise<void> => {
    await vpp.request("cli_inband", { cmd });
  };
  await run("set interface state loop0 up");
  await run("set interface ip address loop0 10.9.0.1/24");
  await run(
    "packet-generator new { name one limit 37 size 98-98 interface loop0 node ip4-input " +
      "data { UDP: 10.9.0.2 -> 10.77.0.1 UDP: 1 -> 2 incrementing 30 } }",
  );
  await run("packet-generator enable-stream");
  await new Promise((resolve) => setTimeout(resolve, 300));
}

interface Counted {
  readonly name: string;
  readonly rx: { readonly packets: bigint };
  readonly tx: { readonly packets: bigint };
  readonly counts: Readonly<Record<string, bigint>>;
}

/** `name counter=value` of what is not zero, in the CLI's words. */
function shown({ name, rx, tx, counts }: Counted): string[] {
  const values = { "rx packets": rx.packets, "tx packets": tx.packets, ...counts };
  return Object.entries(values).flatMap(([key, value]) =>
    value === 0n ? [] : [`${name} ${key}=${value}`]
  ).filter((line) => !line.includes(" bytes"));
}

function parseInterfaces(text: string): string[] {
  const lines: string[] = [];
  let name = "";
  for (const line of text.split("\r\n").flatMap((each) => each.split("\n")).slice(1)) {
    const [, head = "", rest = line] = /^(\S+)\s+\d+\s+\S+\s+\S+(.*)$/.exec(line) ?? [];
    if (head !== "") name = head;
    const [, key = "", value = ""] = /^\s+(\S.*?)\s+(\d+)\s*$/.exec(rest) ?? [];
    if (key !== "" && !key.endsWith("bytes")) lines.push(`${name} ${key}=${value}`);
  }
  return lines;
}

function parseErrors(text: string): string[] {
  return text.split(/\r?\n/).slice(1).flatMap((line) => {
    const [, count = "", node = ""] = /^\s*(\d+)\s+(\S+)\s/.exec(line) ?? [];
    return count === "" ? [] : [`${node} ${count}`];
  });
}
