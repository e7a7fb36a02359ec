import { assert, assertEquals } from "@contiv/assert";
import {
  echoPacket,
  ethernetFrame,
  EtherType,
  Icmp4Type,
  Icmp6Type,
  ip4Packet,
  ip6Packet,
  IpAddress,
  IpPrefix,
  IpProtocol,
  MacAddress,
  parseIcmp,
  parseTransport,
  tcpSegment,
  udpDatagram,
  vnetFrame,
  VnetGso,
} from "@contiv/net";
import { TestBench } from "./testing.ts";
import { PathType } from "./types.ts";

const VPP1 = "02:fe:00:00:00:01";
const VPP2 = "02:fe:00:00:00:02";
const A_MAC = "02:00:00:00:00:0a";
const B_MAC = "02:00:00:00:00:0b";

/** Two links with a host on each: .2 and ::2 on the first, likewise on the second. */
function twoLinks(): { bench: TestBench; a: number; b: number } {
  const bench = new TestBench();
  const a = bench.add("mem0", VPP1, ["10.1.1.1/24", "fd00:1::1/64"]);
  const b = bench.add("mem1", VPP2, ["10.1.2.1/24", "fd00:2::1/64"]);
  for (const address of ["10.1.1.2", "fd00:1::2"]) bench.neighbor(a, address, A_MAC);
  for (const address of ["10.1.2.2", "fd00:2::2"]) bench.neighbor(b, address, B_MAC);
  return { bench, a, b };
}

function udp(source: string, destination: string, size = 10, fields: object = {}): Uint8Array {
  const payload = udpDatagram({
    source,
    destination,
    sourcePort: 1000,
    destinationPort: 2000,
    payload: new Uint8Array(size).fill(7),
  });
  return source.includes(":")
    ? ip6Packet({ source, destination, nextHeader: IpProtocol.UDP, payload, ...fields })
    : ip4Packet({ source, destination, protocol: IpProtocol.UDP, payload, ...fields });
}

Deno.test("a packet is forwarded with new MAC addresses and one hop less", async (t) => {
  for (
    const [source, destination] of [["10.1.1.2", "10.1.2.2"], ["fd00:1::2", "fd00:2::2"]] as const
  ) {
    await t.step(source, () => {
      const { bench, a, b } = twoLinks();
      const [out, ...more] = bench.receiveIp(a, A_MAC, udp(source, destination));
      assert(out?.ip);
      assertEquals(more.length, 0);
      assertEquals(out.swIfIndex, b);
      assertEquals(`${out.ethernet.source} ${out.ethernet.destination}`, `${VPP2} ${B_MAC}`);
      assertEquals(out.ip.ttl, 63);
      assert(out.ip.checksumOk);
      assert(parseTransport(out.ip)?.checksumOk);
      assertEquals(bench.plane.interface(a)?.counters.rxPackets, 1);
      assertEquals(bench.plane.interface(b)?.counters.txPackets, 1);
    });
  }
});

Deno.test("all TTLs leave a right header checksum", () => {
  const { bench, a } = twoLinks();
  for (let ttl = 2; ttl <= 255; ttl++) {
    for (const id of [0, 0xff, 0xffff, 0x8000]) {
      const [out] = bench.receiveIp(a, A_MAC, udp("10.1.1.2", "10.1.2.2", 3, { ttl, id }));
      assert(out?.ip?.checksumOk);
      assertEquals(out.ip.ttl, ttl - 1);
    }
  }
});

Deno.test("frames for another MAC address or on a downed interface go nowhere", () => {
  const { bench, a } = twoLinks();
  const payload = udp("10.1.1.2", "10.1.2.2");
  const frame = ethernetFrame({ source: A_MAC, destination: B_MAC, payload });
  assertEquals(bench.receive(a, frame).length, 0);
  assertEquals(bench.count("ethernet-input: l3 mac mismatch"), 1);
  bench.plane.setFlags(a, false);
  assertEquals(bench.receiveIp(a, A_MAC, payload).length, 0);
});

Deno.test("the last hop is answered with time exceeded from the receiving interface", async (t) => {
  await t.step("IPv4", () => {
    const { bench, a } = twoLinks();
    const [out] = bench.receiveIp(a, A_MAC, udp("10.1.1.2", "10.1.2.2", 10, { ttl: 1 }));
    assert(out?.ip);
    assertEquals(`${out.ip.source} ${out.ip.destination}`, "10.1.1.1 10.1.1.2");
    const icmp = parseIcmp(out.ip);
    assertEquals([icmp?.type, icmp?.code, icmp?.checksumOk], [Icmp4Type.TIME_EXCEEDED, 0, true]);
    assertEquals(bench.count("ip4-input: ip4 ttl <= 1"), 1);
  });
  await t.step("IPv6", () => {
    const { bench, a } = twoLinks();
    const [out] = bench.receiveIp(a, A_MAC, udp("fd00:1::2", "fd00:2::2", 10, { hopLimit: 1 }));
    assert(out?.ip);
    assertEquals(`${out.ip.source} ${out.ip.destination}`, "fd00:1::1 fd00:1::2");
    const icmp = parseIcmp(out.ip);
    assertEquals([icmp?.type, icmp?.code, icmp?.checksumOk], [Icmp6Type.TIME_EXCEEDED, 0, true]);
  });
});

Deno.test("no error answers an error, a group or a later fragment", () => {
  const { bench, a } = twoLinks();
  const error = ip4Packet({
    source: "10.1.1.2",
    destination: "10.1.2.2",
    protocol: IpProtocol.ICMP,
    ttl: 1,
    payload: Uint8Array.of(3, 1, 0, 0, 0, 0, 0, 0),
  });
  assertEquals(bench.receiveIp(a, A_MAC, error).length, 0);
  const fragment = udp("10.1.1.2", "10.1.2.2", 16, { ttl: 1, fragment: 2 });
  assertEquals(bench.receiveIp(a, A_MAC, fragment).length, 0);
  assertEquals(bench.receiveIp(a, A_MAC, udp("10.1.1.2", "224.0.0.9")).length, 0);
  assertEquals(bench.count("ip4-icmp-error: error message dropped"), 2);
});

Deno.test("own addresses answer echoes of both families", async (t) => {
  for (
    const [source, destination] of [["10.1.1.2", "10.1.1.1"], ["10.1.1.2", "10.1.2.1"], [
      "fd00:1::2",
      "fd00:1::1",
    ]] as const
  ) {
    await t.step(destination, () => {
      const { bench, a } = twoLinks();
      const payload = new TextEncoder().encode("hello");
      const [out] = bench.receiveIp(a, A_MAC, echoPacket({ source, destination, payload }));
      assert(out?.ip?.checksumOk);
      assertEquals(`${out.ip.source} ${out.ip.destination}`, `${destination} ${source}`);
      assertEquals(out.ip.ttl, 64);
      const icmp = parseIcmp(out.ip);
      assertEquals(icmp?.type, source.includes(":") ? 129 : 0);
      assert(icmp?.checksumOk);
      assertEquals(new TextDecoder().decode(icmp?.payload), "hello");
    });
  }
});

Deno.test("an echo request whose checksum was left partial is answered with a full one", () => {
  const { bench, a } = twoLinks();
  const packet = echoPacket({ source: "10.1.1.2", destination: "10.1.1.1" });
  packet.set([0, 0], 22);
  const frame = ethernetFrame({ source: A_MAC, destination: VPP1, payload: packet });
  const [out] = bench.receiveVnet(a, vnetFrame(frame, { flags: 1, csumStart: 34, csumOffset: 2 }));
  assert(out?.ip);
  assert(parseIcmp(out.ip)?.checksumOk);
  assertEquals([...out.bytes.subarray(0, 10)], new Array(10).fill(0));
});

Deno.test("a ping in fragments is put together and its answer cut again", () => {
  const { bench, a } = twoLinks();
  bench.plane.setMtu(a, [1500, 0, 0, 0]);
  const payload = Uint8Array.from({ length: 3000 }, (_, i) => i & 0xff);
  const whole = echoPacket({ source: "10.1.1.2", destination: "10.1.1.1", payload });
  const data = whole.subarray(20);
  const pieces = [0, 1480, 2960].map((at) =>
    ip4Packet({
      source: "10.1.1.2",
      destination: "10.1.1.1",
      protocol: IpProtocol.ICMP,
      id: 9,
      fragment: at / 8 | (at + 1480 < data.length ? 0x2000 : 0),
      payload: data.subarray(at, at + 1480),
    })
  );
  const out = pieces.flatMap((piece) => bench.receiveIp(a, A_MAC, piece));
  assertEquals(out.map((one) => one.ip!.fragment), [0x2000, 0x2000 | 185, 370]);
  const back = out.flatMap((one) => [...one.ip!.payload]);
  assertEquals(back.slice(8), [...payload]);
});

Deno.test("packets larger than the link are cut, or their sender is told the MTU", async (t) => {
  const big = 1400;
  await t.step("IPv4 without DF is fragmented", () => {
    const { bench, a, b } = twoLinks();
    bench.plane.setMtu(b, [1000, 0, 0, 0]);
    const out = bench.receiveIp(a, A_MAC, udp("10.1.1.2", "10.1.2.2", big));
    assertEquals(out.map((one) => one.ip!.fragment), [0x2000, 122]);
    assert(out.every((one) => one.ip!.checksumOk && one.ip!.ttl === 63));
    assertEquals(out.reduce((sum, one) => sum + one.ip!.payload.length, 0), big + 8);
  });
  await t.step("IPv4 with DF", () => {
    const { bench, a, b } = twoLinks();
    bench.plane.setMtu(b, [1000, 0, 0, 0]);
    const [out] = bench.receiveIp(a, A_MAC, udp("10.1.1.2", "10.1.2.2", big, { fragment: 0x4000 }));
    const icmp = parseIcmp(out!.ip!);
    assertEquals([icmp?.type, icmp?.code, icmp?.rest], [3, 4, 1000]);
    assertEquals(icmp?.payload[8], 64);
    assert(out!.ip!.payload.length <= 556);
  });
  await t.step("IPv6", () => {
    const { bench, a, b } = twoLinks();
    bench.plane.setMtu(b, [1300, 0, 0, 0]);
    const [out] = bench.receiveIp(a, A_MAC, udp("fd00:1::2", "fd00:2::2", big));
    const icmp = parseIcmp(out!.ip!);
    assertEquals([icmp?.type, icmp?.code, icmp?.rest], [2, 0, 1300]);
    assert(icmp?.checksumOk);
    assert(out!.bytes.length <= 10 + 14 + 1280);
  });
});

Deno.test("a segmentation frame passes whole with its header if its segments fit", () => {
  const { bench, a, b } = twoLinks();
  bench.plane.setMtu(b, [1500, 0, 0, 0]);
  const ends = { source: "10.1.1.2", destination: "10.1.2.2", sourcePort: 1, destinationPort: 2 };
  const payload = tcpSegment({ ...ends, payload: new Uint8Array(60_000), checksum: "partial" });
  const packet = ip4Packet({ ...ends, protocol: IpProtocol.TCP, payload, fragment: 0x4000 });
  const frame = ethernetFrame({ source: A_MAC, destination: VPP1, payload: packet });
  const header = { flags: 1, gsoType: VnetGso.TCPV4, hdrLen: 54, csumStart: 34, csumOffset: 16 };
  const fits = vnetFrame(frame, { ...header, gsoSize: 1460 });
  const [out] = bench.receiveVnet(a, fits);
  assertEquals(out?.bytes.length, fits.length);
  assertEquals([...out!.bytes.subarray(0, 10)], [...fits.subarray(0, 10)]);
  const [error] = bench.receiveVnet(a, vnetFrame(frame, { ...header, gsoSize: 1461 }));
  assertEquals(parseIcmp(error!.ip!)?.code, 4);
});

Deno.test("malformed IPv4 headers are dropped and counted for their reason", async (t) => {
  const good = (): Uint8Array => udp("10.1.1.2", "10.1.2.2");
  const cases: readonly (readonly [string, (packet: Uint8Array) => Uint8Array])[] = [
    ["ip4-input: bad ip4 checksum", (packet) => (packet[10]! ^= 1, packet)],
    ["ip4-input: ip4 version != 4", (packet) => (packet[0] = 0x55, packet)],
    ["ip4-input: ip4 IHL < 5", (packet) => (packet[0] = 0x44, packet)],
    ["ip4-input: ip4 length > l2 length", (packet) => (packet[2] = 0xff, packet)],
    ["ip4-input: ip4 length < 20 bytes", (packet) => (packet[3] = 19, packet)],
    ["ip4-input: ip4 fragment offset == 1", () => udp("10.1.1.2", "10.1.2.2", 8, { fragment: 1 })],
    [
      "ip4-input: ip4 options present",
      () => udp("10.1.1.2", "10.1.2.2", 8, { options: Uint8Array.of(148, 4, 0, 0) }),
    ],
    ["ip4-local: ip4 spoofed local-address packet drops", () => udp("10.1.2.1", "10.1.1.1")],
    ["ip4-local: ip4 source lookup miss", () => udp("172.31.0.1", "10.1.1.1")],
    ["ip4-drop: ip4 drop", () => udp("10.1.1.2", "10.1.2.255")],
    ["ip4-drop: ip4 drop", () => udp("10.1.1.2", "192.0.2.1")],
  ];
  for (const [reason, spoil] of cases) {
    await t.step(reason, () => {
      const { bench, a } = twoLinks();
      assertEquals(bench.receiveIp(a, A_MAC, spoil(good())).length, 0);
      assertEquals(bench.count(reason), 1);
    });
  }
});

Deno.test("a closed UDP port of this node is unreachable", () => {
  const { bench, a } = twoLinks();
  const [out] = bench.receiveIp(a, A_MAC, udp("10.1.1.2", "10.1.1.1"));
  assertEquals([parseIcmp(out!.ip!)?.type, parseIcmp(out!.ip!)?.code], [3, 3]);
  const [out6] = bench.receiveIp(a, A_MAC, udp("fd00:1::2", "fd00:1::1"));
  assertEquals([parseIcmp(out6!.ip!)?.type, parseIcmp(out6!.ip!)?.code], [1, 4]);
});

Deno.test("unreachable and prohibited routes tell the sender", () => {
  const { bench, a } = twoLinks();
  bench.route("10.9.0.0/16", [{ type: PathType.ICMP_UNREACH }]);
  bench.route("10.8.0.0/16", [{ type: PathType.ICMP_PROHIBIT }]);
  bench.route("fd09::/64", [{ type: PathType.ICMP_UNREACH }]);
  const codeOf = (destination: string): readonly unknown[] => {
    const source = destination.includes(":") ? "fd00:1::2" : "10.1.1.2";
    bench.nowMs += 200;
    const [out] = bench.receiveIp(a, A_MAC, udp(source, destination));
    const icmp = parseIcmp(out!.ip!);
    return [icmp?.type, icmp?.code];
  };
  assertEquals(codeOf("10.9.0.1"), [3, 1]);
  assertEquals(codeOf("10.8.0.1"), [3, 10]);
  assertEquals(codeOf("fd09::1"), [1, 0]);

  bench.nowMs += 200;
  const now = bench.nowMs;
  let answers = 0;
  for (let i = 0; i < 200; i++) {
    bench.nowMs = now;
    answers += bench.receiveIp(a, A_MAC, udp("10.1.1.2", `10.9.1.${i}`)).length;
  }
  assert(answers >= 1 && answers <= 4, `${answers} answers at once`);
});

Deno.test("flows spread over paths by weight, each flow on one of them", () => {
  const { bench, a, b } = twoLinks();
  const c = bench.add("mem2", "02:fe:00:00:00:03", ["10.1.3.1/24"]);
  bench.neighbor(c, "10.1.3.2", "02:00:00:00:00:0c");
  bench.route("10.7.0.0/16", [
    { swIfIndex: b, nextHop: IpAddress.parse("10.1.2.2"), weight: 3 },
    { swIfIndex: c, nextHop: IpAddress.parse("10.1.3.2"), weight: 1 },
  ]);
  const counts = new Map<number, number>();
  for (let i = 0; i < 1000; i++) {
    const destination = `10.7.${i >> 8}.${i & 255}`;
    const [one] = bench.receiveIp(a, A_MAC, udp("10.1.1.2", destination));
    const [again] = bench.receiveIp(a, A_MAC, udp("10.1.1.2", destination));
    assertEquals(one?.swIfIndex, again?.swIfIndex);
    counts.set(one!.swIfIndex, (counts.get(one!.swIfIndex) ?? 0) + 1);
  }
  const share = (counts.get(b) ?? 0) / 1000;
  assert(share > 0.68 && share < 0.82, `share ${share}`);
  bench.plane.setFlags(c, false);
  const [only] = bench.receiveIp(a, A_MAC, udp("10.1.1.2", "10.7.0.1"));
  assertEquals(only?.swIfIndex, b);
});

Deno.test("a recursive route follows the route of its next hop, and its changes", () => {
  const { bench, a, b } = twoLinks();
  bench.route("10.20.0.0/16", [{ nextHop: IpAddress.parse("10.30.0.1") }]);
  const send = (): number | undefined =>
    bench.receiveIp(a, A_MAC, udp("10.1.1.2", "10.20.0.1"))[0]?.swIfIndex;
  assertEquals(send(), undefined);
  const via = [{ swIfIndex: b, nextHop: IpAddress.parse("10.1.2.2") }];
  bench.route("10.30.0.0/24", via);
  assertEquals(send(), b);
  bench.route("10.30.0.0/24", [], { isAdd: false });
  assertEquals(send(), undefined);
  bench.route("10.40.0.0/16", [{ nextHop: IpAddress.parse("10.1.2.2") }]);
  assertEquals(bench.receiveIp(a, A_MAC, udp("10.1.1.2", "10.40.0.1"))[0]?.swIfIndex, b);
});

Deno.test("routes that resolve through each other drop", () => {
  const { bench, a } = twoLinks();
  bench.route("10.50.0.0/16", [{ nextHop: IpAddress.parse("10.60.0.1") }]);
  bench.route("10.60.0.0/16", [{ nextHop: IpAddress.parse("10.50.0.1") }]);
  bench.route("10.70.0.0/16", [{ nextHop: IpAddress.parse("10.70.0.1") }]);
  for (const destination of ["10.50.0.9", "10.60.0.9", "10.70.0.9"]) {
    assertEquals(bench.receiveIp(a, A_MAC, udp("10.1.1.2", destination)).length, 0);
  }
});

Deno.test("pods borrow the gateway's addresses and reach each other and the gateway", () => {
  const bench = new TestBench();
  const loop = bench.add("loop0", VPP1, ["10.1.1.1/32", "fd00:1::1/128"], "loopback");
  const pods = [1, 2].map((n) => {
    const swIfIndex = bench.add(`tap${n}`, `02:fe:00:00:01:0${n}`, [], "tap");
    bench.plane.setUnnumbered(loop, swIfIndex, true);
    for (const address of [`10.1.1.1${n}`, `fd00:1::1${n}`]) {
      bench.neighbor(swIfIndex, address, `02:00:00:00:01:0${n}`);
      const nextHop = IpAddress.parse(address);
      bench.route(`${IpPrefix.host(nextHop)}`, [{ swIfIndex, nextHop }]);
    }
    return swIfIndex;
  }) as [number, number];
  const mac = "02:00:00:00:01:01";
  assertEquals(bench.receiveIp(pods[0], mac, udp("10.1.1.11", "10.1.1.12"))[0]?.swIfIndex, pods[1]);
  assertEquals(
    bench.receiveIp(pods[0], mac, udp("fd00:1::11", "fd00:1::12"))[0]?.swIfIndex,
    pods[1],
  );
  const ping = echoPacket({ source: "10.1.1.11", destination: "10.1.1.1" });
  assertEquals(bench.receiveIp(pods[0], mac, ping)[0]?.swIfIndex, pods[0]);
  const [answer] = bench.receiveArp(pods[0], {
    senderMac: mac,
    senderIp: "10.1.1.11",
    targetIp: "10.1.1.1",
  });
  assertEquals(`${answer?.arp?.senderMac}`, "02:fe:00:00:01:01");

  assertEquals(bench.plane.deleteInterface(pods[1]), 0);
  assertEquals(bench.receiveIp(pods[0], mac, udp("10.1.1.11", "10.1.1.12")).length, 0);
  const reused = bench.plane.createInterface({
    kind: "tap",
    name: "tap9",
    mac: MacAddress.parse(VPP2),
  });
  assertEquals(reused, pods[1]);
  bench.plane.setFlags(reused, true);
  assertEquals(bench.receiveIp(pods[0], mac, udp("10.1.1.11", "10.1.1.12")).length, 0);
});

Deno.test("a trace tells each node a packet met and why it fell", () => {
  const { bench, a } = twoLinks();
  bench.plane.armTrace(2);
  bench.receiveIp(a, A_MAC, udp("10.1.1.2", "10.1.2.2"));
  bench.receiveIp(a, A_MAC, udp("10.1.1.2", "192.0.2.1"));
  bench.receiveIp(a, A_MAC, udp("10.1.1.2", "192.0.2.1"));
  const text = bench.plane.showTrace();
  for (
    const word of ["Packet 2", "ip4-rewrite", "mem1-output", "error-drop", "ip4-drop: ip4 drop"]
  ) {
    assert(text.includes(word), word);
  }
  assert(!text.includes("Packet 3"));
});

Deno.test("other EtherTypes and VLANs are not taken", () => {
  const { bench, a } = twoLinks();
  for (const etherType of [EtherType.VLAN, 0x88cc]) {
    const payload = new Uint8Array(46);
    const frame = ethernetFrame({ source: A_MAC, destination: VPP1, etherType, payload });
    assertEquals(bench.receive(a, frame).length, 0);
  }
  assertEquals(bench.count("ethernet-input: unknown vlan"), 1);
  assertEquals(bench.count("ethernet-input: unknown ethernet type"), 1);
});
