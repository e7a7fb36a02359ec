import { assert, assertEquals } from "@contiv/assert";
import {
  ArpOpcode,
  echoPacket,
  ethernetFrame,
  IpAddress,
  IpPrefix,
  MacAddress,
  multicastMac,
  neighborPacket,
  parseIcmp,
  solicitedNodeAddress,
} from "@contiv/net";
import { type Sent, TestBench } from "./testing.ts";

const OWN = "02:fe:00:00:00:01";
const PEER = "02:00:00:00:00:0a";
const OWN_LINK_LOCAL = "fe80::fe:ff:fe00:1";

function oneLink(
  options: ConstructorParameters<typeof TestBench>[0] = {},
): { bench: TestBench; a: number } {
  const bench = new TestBench(options);
  const a = bench.add("mem0", OWN, ["10.1.1.1/24", "fd00:1::1/64"]);
  return { bench, a };
}

function solicit(
  bench: TestBench,
  a: number,
  target: string,
  source: string,
  mac?: string,
): Sent[] {
  const group = solicitedNodeAddress(target);
  const payload = neighborPacket({
    type: "solicitation",
    source,
    destination: group,
    target,
    ...(mac === undefined ? {} : { mac }),
  });
  const frame = ethernetFrame({ source: PEER, destination: multicastMac(group), payload });
  return bench.receive(a, frame);
}

Deno.test("ARP requests for the own address are answered and their sender is learned", () => {
  const { bench, a } = oneLink();
  const ask = { senderMac: PEER, senderIp: "10.1.1.2", targetIp: "10.1.1.1" };
  const [out] = bench.receiveArp(a, ask);
  assertEquals(out?.arp?.opcode, ArpOpcode.REPLY);
  assertEquals(`${out?.arp?.senderMac} ${out?.arp?.senderIp}`, `${OWN} 10.1.1.1`);
  assertEquals(`${out?.arp?.targetMac} ${out?.arp?.targetIp}`, `${PEER} 10.1.1.2`);
  assertEquals(`${out?.ethernet.destination}`, PEER);
  const [learned] = bench.plane.neighbors(4);
  assertEquals(
    `${learned?.address} ${learned?.mac} ${learned?.isStatic}`,
    `10.1.1.2 ${PEER} false`,
  );
  assertEquals(bench.events.at(-1)?.kind, "neighbor");
});

Deno.test("ARP is not answered for others, from other links or with forged senders", () => {
  const { bench, a } = oneLink();
  const ask = { senderMac: PEER, senderIp: "10.1.1.2", targetIp: "10.1.1.1" };
  const cases = [
    [{ ...ask, targetIp: "10.1.1.9" }, "arp-reply: ARP opcode not request"],
    [{ ...ask, senderIp: "192.0.2.1" }, "arp-reply: IP4 source address not local to subnet"],
    [{ ...ask, senderIp: "10.1.1.1" }, "arp-reply: IP4 source address matches local interface"],
    [{ ...ask, targetIp: "192.0.2.1" }, "arp-reply: IP4 destination address not local to subnet"],
    [{ ...ask, senderIp: "0.0.0.0" }, "arp-input: IP4 destination address is unset"],
  ] as const;
  for (const [arp, reason] of cases) {
    assertEquals(bench.receiveArp(a, arp).length, 0);
    assertEquals(bench.count(reason), 1, reason);
  }
  assertEquals([...bench.plane.neighbors(4)].length, 0);
});

Deno.test("an unsolicited ARP teaches no new neighbour, but moves a known one", () => {
  const { bench, a } = oneLink();
  const announce = { senderIp: "10.1.1.2", targetIp: "10.1.1.2" };
  bench.receiveArp(a, { ...announce, senderMac: PEER });
  assertEquals([...bench.plane.neighbors(4)].length, 0);
  bench.receiveArp(a, { senderMac: PEER, senderIp: "10.1.1.2", targetIp: "10.1.1.1" });
  const moved = "02:00:00:00:00:0b";
  bench.receiveArp(a, { ...announce, senderMac: moved });
  assertEquals(`${[...bench.plane.neighbors(4)][0]?.mac}`, moved);
});

Deno.test("the first packet to an unknown neighbour asks for it, the next one goes", async (t) => {
  await t.step("IPv4", () => {
    const { bench, a } = oneLink();
    const b = bench.add("mem1", "02:fe:00:00:00:02", ["10.1.2.1/24"]);
    const packet = echoPacket({ source: "10.1.2.2", destination: "10.1.1.2" });
    const [ask] = bench.receiveIp(b, PEER, packet);
    assertEquals(`${ask?.arp?.senderIp} ${ask?.arp?.targetIp}`, "10.1.1.1 10.1.1.2");
    assertEquals(`${ask?.ethernet.destination}`, "ff:ff:ff:ff:ff:ff");
    assertEquals(bench.count("ip4-glean: ARP requests sent"), 1);
    bench.nowMs--;
    assertEquals(bench.receiveIp(b, PEER, packet).length, 0);
    assertEquals(bench.count("ip4-glean: ARP requests throttled"), 1);
    bench.receiveArp(a, {
      opcode: ArpOpcode.REPLY,
      senderMac: PEER,
      senderIp: "10.1.1.2",
      targetMac: OWN,
      targetIp: "10.1.1.1",
    }, OWN);
    assertEquals(bench.receiveIp(b, PEER, packet)[0]?.swIfIndex, a);
  });
  await t.step("IPv6", () => {
    const { bench, a } = oneLink();
    const b = bench.add("mem1", "02:fe:00:00:00:02", ["fd00:2::1/64"]);
    const packet = echoPacket({ source: "fd00:2::2", destination: "fd00:1::2" });
    const [ask] = bench.receiveIp(b, PEER, packet);
    const icmp = parseIcmp(ask!.ip!);
    assertEquals([icmp?.type, icmp?.checksumOk], [135, true]);
    assertEquals(`${ask?.ip?.source}`, OWN_LINK_LOCAL);
    assertEquals(`${ask?.ip?.destination}`, `${solicitedNodeAddress("fd00:1::2")}`);
    const payload = neighborPacket({
      type: "advertisement",
      source: "fd00:1::2",
      destination: OWN_LINK_LOCAL,
      target: "fd00:1::2",
      mac: PEER,
      flags: 3,
    });
    bench.receive(a, ethernetFrame({ source: PEER, destination: OWN, payload }));
    assertEquals(bench.count("ip6-icmp-input: neighbor advertisements received"), 1);
    assertEquals(bench.receiveIp(b, PEER, packet)[0]?.swIfIndex, a);
  });
});

Deno.test("solicitations for own addresses are answered, also for the link-local one", () => {
  for (const target of ["fd00:1::1", OWN_LINK_LOCAL]) {
    const { bench, a } = oneLink();
    const [out] = solicit(bench, a, target, "fe80::2", PEER);
    assertEquals(`${out?.ip?.source} ${out?.ip?.destination}`, `${target} fe80::2`);
    assertEquals(`${out?.ethernet.source} ${out?.ethernet.destination}`, `${OWN} ${PEER}`);
    const icmp = parseIcmp(out!.ip!);
    assertEquals([icmp?.type, icmp?.checksumOk, out?.ip?.ttl], [136, true, 255]);
    assertEquals((icmp?.rest ?? 0) >>> 29, 3);
    assertEquals([...icmp!.payload.subarray(16)], [2, 1, ...MacAddress.parse(OWN).bytes]);
    assertEquals(`${[...bench.plane.neighbors(6)][0]?.address}`, "fe80::2");
    const ping = echoPacket({ source: "fe80::2", destination: target });
    assertEquals(bench.receiveIp(a, PEER, ping)[0]?.swIfIndex, a);
  }
});

Deno.test("duplicate address detection by a peer is answered to all nodes", () => {
  const { bench, a } = oneLink();
  const [out] = solicit(bench, a, "fd00:1::1", "::");
  assertEquals(`${out?.ip?.destination}`, "ff02::1");
  assertEquals([...bench.plane.neighbors(6)].length, 0);
  assertEquals(solicit(bench, a, "fd00:1::7", "::").length, 0);
  assertEquals(bench.count("ip6-icmp-input: neighbor solicitations for unknown targets"), 1);
});

Deno.test("discovery from beyond the link is not believed", () => {
  const { bench, a } = oneLink();
  const payload = neighborPacket({
    type: "solicitation",
    source: "fd00:1::2",
    destination: "fd00:1::1",
    target: "fd00:1::1",
    mac: PEER,
    hopLimit: 254,
  });
  assertEquals(bench.receiveIp(a, PEER, payload).length, 0);
  assertEquals(bench.count("ip6-icmp-input: hop_limit != 255"), 1);
  assertEquals(solicit(bench, a, "fd00:1::1", "2001:db8::1", PEER).length, 0);
  assertEquals([...bench.plane.neighbors(6)].length, 0);
});

Deno.test("a static neighbour is not overwritten from the link, and outlives admin down", () => {
  const { bench, a } = oneLink();
  bench.neighbor(a, "10.1.1.2", PEER);
  const forged = "02:00:00:00:00:66";
  bench.receiveArp(a, { senderMac: forged, senderIp: "10.1.1.2", targetIp: "10.1.1.1" });
  bench.receiveArp(a, { senderMac: PEER, senderIp: "10.1.1.3", targetIp: "10.1.1.1" });
  assertEquals([...bench.plane.neighbors(4)].map(({ mac }) => `${mac}`), [PEER, PEER]);
  bench.plane.setFlags(a, false);
  assertEquals([...bench.plane.neighbors(4)].map(({ address }) => `${address}`), ["10.1.1.2"]);
});

Deno.test("neighbours are limited in number, and the oldest makes room if it may", () => {
  const { bench, a } = oneLink({ maxNeighbors: 2 });
  const ask = (host: number): void => {
    const senderIp = `10.1.1.${host}`;
    bench.receiveArp(a, { senderMac: PEER, senderIp, targetIp: "10.1.1.1" });
  };
  const hosts = (): string[] => [...bench.plane.neighbors(4)].map(({ address }) => `${address}`);
  [2, 3, 4].forEach(ask);
  assertEquals(hosts(), ["10.1.1.2", "10.1.1.3"]);
  bench.plane.configureNeighbors(4, { maxNumber: 2, maxAge: 0, recycle: true });
  ask(2);
  ask(4);
  assertEquals(hosts(), ["10.1.1.2", "10.1.1.4"]);
});

Deno.test("an aged neighbour is probed three times and then forgotten", () => {
  const { bench, a } = oneLink();
  bench.plane.configureNeighbors(4, { maxNumber: 100, maxAge: 10, recycle: false });
  bench.receiveArp(a, { senderMac: PEER, senderIp: "10.1.1.2", targetIp: "10.1.1.1" });
  bench.sent.length = 0;
  bench.plane.tick(bench.nowMs + 9_000);
  assertEquals(bench.sent.length, 0);
  for (let second = 11; second < 20; second++) bench.plane.tick(bench.nowMs + second * 1000);
  assertEquals(bench.sent.map(({ arp }) => `${arp?.targetIp}`), new Array(3).fill("10.1.1.2"));
  assertEquals([...bench.plane.neighbors(4)].length, 0);
  const last = bench.events.at(-1);
  assert(last?.kind === "neighbor" && last.change === "removed");
});

Deno.test("mark and sweep keeps what was added again", () => {
  const { bench, a } = oneLink();
  bench.neighbor(a, "10.1.1.2", PEER);
  bench.neighbor(a, "10.1.1.3", PEER);
  bench.plane.neighborReplaceBegin();
  bench.neighbor(a, "10.1.1.3", PEER);
  bench.plane.neighborReplaceEnd();
  assertEquals([...bench.plane.neighbors(4)].map(({ address }) => `${address}`), ["10.1.1.3"]);
});

Deno.test("a neighbour outside its interface's subnet attracts no packets", () => {
  const { bench, a } = oneLink();
  bench.neighbor(a, "192.0.2.1", PEER);
  const packet = echoPacket({ source: "10.1.1.2", destination: "192.0.2.1" });
  assertEquals(bench.receiveIp(a, PEER, packet).length, 0);
  const found = bench.plane.lookupRoute(0, IpPrefix.host(IpAddress.parse("192.0.2.1")), true);
  assertEquals(found?.src, 15);
});
