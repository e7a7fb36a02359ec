/** What happens to connections whose backend is taken from a translation. Record: 0013. */
import { assert, assertEquals, assertMatch } from "@contiv/assert";
import { IpProto } from "@contiv/vppapi";
import { setService } from "./lab/cnat.ts";
import type { Lab } from "./lab/lab.ts";
import type { Pod } from "./lab/pod.ts";
import { probe } from "./lab/probe.ts";

const VIP = "10.96.0.1|80";
const BACKENDS = ["10.1.0.3|80", "10.1.0.4|80"] as const;

async function start(lab: Lab): Promise<{ client: Pod; b: Pod; c: Pod }> {
  const client = await lab.pod("a", ["10.1.0.2", "fd00:1::2"]);
  const b = await lab.pod("b", ["10.1.0.3", "fd00:1::3"]);
  const c = await lab.pod("c", ["10.1.0.4", "fd00:1::4"]);
  for (const pod of [b, c]) {
    await pod.serve(80);
    pod.serveUdp(pod.ip4, 80);
  }
  await setService(lab.vpp, { vip: VIP, backends: BACKENDS });
  await setService(lab.vpp, { vip: VIP, backends: BACKENDS, protocol: IpProto.UDP });
  return { client, b, c };
}

/** A TCP stream and a UDP port that have both reached `name`. */
async function flowsTo(client: Pod, name: string): Promise<{ stream: number; from: number }> {
  let stream: number | undefined;
  let from: number | undefined;
  for (let i = 0; i < 64 && (stream === undefined || from === undefined); i++) {
    if (stream === undefined) {
      const candidate = await client.streams.connect("10.96.0.1", 80);
      const answer = await client.streams.exchange(candidate, "x");
      if (typeof candidate === "number" && answer.startsWith(name)) stream = candidate;
      else await client.streams.close(candidate);
    }
    const port = 20_000 + i;
    if ((await client.askUdp("10.96.0.1", 80, { from: port })).startsWith(name)) from ??= port;
  }
  assert(stream !== undefined && from !== undefined, `no flow reached ${name}`);
  return { stream, from };
}

/** Takes b from both translations. */
async function removeB(lab: Lab): Promise<void> {
  await setService(lab.vpp, { vip: VIP, backends: ["10.1.0.4|80"] });
  await setService(lab.vpp, { vip: VIP, backends: ["10.1.0.4|80"], protocol: IpProto.UDP });
}

/** Asks over both flows, for a time or until both have left b for c; gives the last answers. */
async function follow(
  client: Pod,
  flows: { readonly stream: number; readonly from: number },
  limitMs: number,
): Promise<{ tcp: string; udp: string; ms: number }> {
  const start = performance.now();
  let tcp = "";
  let udp = "";
  do {
    if (tcp === "" || tcp.startsWith("b")) tcp = await client.streams.exchange(flows.stream, "y");
    udp = await client.askUdp("10.96.0.1", 80, { from: flows.from });
    await new Promise((resolve) => setTimeout(resolve, 10));
    // A datagram sent while its two sessions are being taken out may get no answer.
  } while (!(udp.startsWith("c") && !tcp.startsWith("b")) && performance.now() - start < limitMs);
  return { tcp, udp, ms: performance.now() - start };
}

async function newFlows(client: Pod): Promise<string> {
  let who = "";
  for (let i = 0; i < 16; i++) who += (await client.streams.once("10.96.0.1", 80)).slice(0, 1);
  return who;
}

probe("with cnat's default table, flows stay on a removed backend", async (lab) => {
  const { client } = await start(lab);
  const flows = await flowsTo(client, "b");
  await removeB(lab);
  assertEquals(await newFlows(client), "c".repeat(16));
  const { tcp, udp } = await follow(client, flows, 6_000);
  assertMatch(tcp, /^b /);
  assertMatch(udp, /^b /);
});

const SMALL = "session-max 65536 session-cleanup-timeout 0.01";
const MILLION = "session-max 1048576 session-cleanup-timeout 0.01";

for (const config of [SMALL, MILLION]) {
  probe(`with "${config}", flows leave a removed backend`, async (lab, t) => {
    const { client } = await start(lab);
    const flows = await flowsTo(client, "b");
    await removeB(lab);
    const { tcp, udp, ms } = await follow(client, flows, 10_000);
    console.log(`${ms.toFixed(0)} ms`);
    await t.step("a TCP connection is reset by the backend it does not belong to", () => {
      assertEquals(tcp, "ConnectionReset");
    });
    await t.step("UDP from a fixed port goes on with another backend", () => {
      assertMatch(udp, /^c /);
    });
  }, `cnat { ${config} }`);
}

probe(
  "with the scanner held, flows of a removed backend last; released, they leave",
  async (lab) => {
    const { client } = await start(lab);
    const flows = await flowsTo(client, "b");
    await lab.cli("test cnat scanner off");
    await removeB(lab);
    assertEquals(await newFlows(client), "c".repeat(16));
    const held = await follow(client, flows, 3_000);
    assertMatch(held.tcp, /^b /);
    assertMatch(held.udp, /^b /);
    await lab.cli("test cnat scanner on");
    const released = await follow(client, flows, 5_000);
    assertEquals(released.tcp, "ConnectionReset");
    assertMatch(released.udp, /^c /);
  },
  `cnat { ${SMALL} }`,
);

probe(
  "flows come back to a backend that was removed and added again",
  async (lab) => {
    const { client } = await start(lab);
    await lab.cli("test cnat scanner off");
    const flows = await flowsTo(client, "b");
    await removeB(lab);
    await setService(lab.vpp, { vip: VIP, backends: BACKENDS });
    await setService(lab.vpp, { vip: VIP, backends: BACKENDS, protocol: IpProto.UDP });
    await lab.cli("test cnat scanner on");
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    // The sessions are gone, but the flows' hash is what it was.
    const again = await follow(client, flows, 500);
    assertMatch(again.tcp, /^b /);
    assertMatch(again.udp, /^b /);
  },
  `cnat { ${SMALL} }`,
);

probe("a deleted translation's connections die, though a new one takes its place", async (lab) => {
  const { client } = await start(lab);
  const flows = await flowsTo(client, "b");
  for (const { translation: { id } } of await lab.vpp.dump("cnat_translation_dump")) {
    await lab.vpp.request("cnat_translation_del", { id });
  }
  await setService(lab.vpp, { vip: VIP, backends: ["10.1.0.4|80"] });
  await setService(lab.vpp, { vip: VIP, backends: ["10.1.0.4|80"], protocol: IpProto.UDP });
  const { tcp, udp } = await follow(client, flows, 5_000);
  assertEquals(tcp, "ConnectionReset");
  assertMatch(udp, /^c /);
}, `cnat { ${SMALL} }`);
