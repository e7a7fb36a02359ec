import { assert, assertEquals } from "@contiv/assert";
import {
  concatBytes,
  echoPacket,
  ethernetFrame,
  Icmp4Type,
  Icmp6Type,
  internetChecksum,
  ip4Packet,
  ip6Packet,
  IpAddress,
  IpProtocol,
  type ParsedIp,
  parseEthernet,
  parseIcmp,
  parseIp,
  parseTransport,
  pseudoHeaderSum,
  tcpSegment,
  udpDatagram,
  VNET_HEADER_LENGTH,
  vnetFrame,
  VnetGso,
} from "@contiv/net";
import { cnatScene, HOST_MAC, NET, OUT_MAC, POD_MAC } from "./cnat_testing.ts";
import { packetOf } from "./fragment_testing.ts";
import type { Sent, TestBench } from "./testing.ts";

type Make = (source: string, destination: string, ports: [number, number]) => Uint8Array;

const udp: Make = (source, destination, [sourcePort, destinationPort]) =>
  packetOf(
    source,
    destination,
    IpProtocol.UDP,
    udpDatagram({
      source,
      destination,
      sourcePort,
      destinationPort,
      payload: Uint8Array.of(1, 2, 3),
    }),
  );

const tcp = (flags: number): Make => (source, destination, [sourcePort, destinationPort]) =>
  packetOf(
    source,
    destination,
    IpProtocol.TCP,
    tcpSegment({
      source,
      destination,
      sourcePort,
      destinationPort,
      flags,
      payload: new Uint8Array(5),
    }),
  );

const SYN = 2;
const SYN_ACK = 0x12;

function endsOf(sent: Sent | undefined): { text: string; ports: [number, number]; ip: ParsedIp } {
  const ip = sent?.ip;
  assert(ip);
  assert(ip.checksumOk);
  const transport = parseTransport(ip);
  assert(transport?.checksumOk);
  const ports: [number, number] = [transport.sourcePort, transport.destinationPort];
  return { text: `${ip.source} > ${ip.destination}`, ports, ip };
}

for (const family of [4, 6] as const) {
  const net = NET[family];
  for (const [name, make] of [["UDP", udp], ["TCP", tcp(SYN)]] as const) {
    Deno.test(`${name} over IPv${family} from a pod leaves as the node's, and its answers come back`, () => {
      const { bench, pod, uplink } = cnatScene();
      const [out] = bench.receiveIp(pod, POD_MAC, make(net.pod, net.outside, [1000, 53]));
      assertEquals(out?.swIfIndex, uplink);
      const there = endsOf(out);
      assertEquals(there.text, `${net.own} > ${net.outside}`);
      assertEquals(there.ports[1], 53);
      assert(there.ports[0] >= 0xc000);
      const answer = make(net.outside, net.own, [53, there.ports[0]]);
      const [back] = bench.receiveIp(uplink, OUT_MAC, answer);
      assertEquals(back?.swIfIndex, pod);
      const here = endsOf(back);
      assertEquals([here.text, here.ports], [`${net.outside} > ${net.pod}`, [53, 1000]]);
      const [again] = bench.receiveIp(pod, POD_MAC, make(net.pod, net.outside, [1000, 53]));
      assertEquals(endsOf(again).ports, there.ports);
      const [other] = bench.receiveIp(pod, POD_MAC, make(net.pod, net.outside, [1001, 53]));
      assert(endsOf(other).ports[0] !== there.ports[0]);
    });
  }

  Deno.test(`IPv${family} sources are kept within the cluster, and towards it`, () => {
    const { bench, pod, pod2, host, uplink } = cnatScene();
    const kept = (from: number, mac: string, source: string, to: string, out: number): void => {
      const [sent] = bench.receiveIp(from, mac, udp(source, to, [7, 8]));
      assertEquals([sent?.swIfIndex, endsOf(sent).text], [out, `${source} > ${to}`]);
      const answering = bench.plane.interface(out)!;
      const [back] = bench.receiveIp(answering.swIfIndex, OUT_MAC, udp(to, source, [8, 7]));
      assertEquals([back?.swIfIndex, endsOf(back).text], [from, `${to} > ${source}`]);
    };
    kept(pod, POD_MAC, net.pod, net.pod2, pod2);
    kept(pod, POD_MAC, net.pod, net.host, host);
    kept(host, HOST_MAC, net.host, net.pod, pod);
    kept(uplink, OUT_MAC, net.outside, net.pod, pod);
    kept(uplink, OUT_MAC, net.outside, net.host, host);
  });

  Deno.test(`an IPv${family} echo to the outside is answered to who asked`, () => {
    const { bench, pod, uplink } = cnatScene();
    const echo = (source: string, destination: string, reply: boolean, id: number): Uint8Array =>
      echoPacket({ source, destination, reply, id, sequence: 1, payload: new Uint8Array(8) });
    const ids = [7, 7].map((id, i) => {
      const source = i === 0 ? net.pod : net.pod2;
      const [out] = bench.receiveIp(pod, POD_MAC, echo(source, net.outside, false, id));
      const icmp = parseIcmp(out!.ip!)!;
      assert(icmp.checksumOk);
      assertEquals(String(out!.ip!.source), net.own);
      return icmp.rest >>> 16;
    });
    assert(ids[0] !== ids[1]);
    const [back] = bench.receiveIp(uplink, OUT_MAC, echo(net.outside, net.own, true, ids[0]!));
    assertEquals([back?.swIfIndex, String(back?.ip?.destination)], [pod, net.pod]);
    const icmp = parseIcmp(back!.ip!)!;
    assertEquals([icmp.checksumOk, icmp.rest], [true, 7 << 16 | 1]);
  });

  Deno.test(`an ICMP error about a translated IPv${family} flow tells the pod of its own packet`, () => {
    for (const [name, make] of [["UDP", udp], ["TCP", tcp(SYN)]] as const) {
      const { bench, pod, uplink } = cnatScene();
      const [out] = bench.receiveIp(pod, POD_MAC, make(net.pod, net.outside, [1000, 53]));
      const quoted = parseEthernet(out!.bytes.subarray(VNET_HEADER_LENGTH))!.payload;
      const router = family === 4 ? "203.0.113.9" : "2001:db8:9::9";
      const [type, protocol] = family === 4
        ? [Icmp4Type.UNREACHABLE, IpProtocol.ICMP]
        : [Icmp6Type.TOO_BIG, IpProtocol.ICMP6];
      const message = concatBytes(
        Uint8Array.of(type, family === 4 ? 4 : 0, 0, 0, 0, 0, 5, 0),
        quoted,
      );
      const seed = family === 4 ? 0 : pseudoHeaderSum(
        IpAddress.parse(router),
        IpAddress.parse(net.own),
        protocol,
        message.length,
      );
      new DataView(message.buffer).setUint16(2, internetChecksum(message, 0, message.length, seed));
      const [told] = bench.receiveIp(uplink, OUT_MAC, packetOf(router, net.own, protocol, message));
      assertEquals([told?.swIfIndex, String(told?.ip?.destination)], [pod, net.pod], name);
      assertEquals(String(told?.ip?.source), router);
      const icmp = parseIcmp(told!.ip!)!;
      assertEquals([icmp.type, icmp.rest, icmp.checksumOk], [type, 0x500, true]);
      const about = parseIp(icmp.payload)!;
      assertEquals(`${about.source} > ${about.destination}`, `${net.pod} > ${net.outside}`);
      const transport = parseTransport(about)!;
      assertEquals([transport.sourcePort, transport.destinationPort], [1000, 53]);
      assert(about.checksumOk && transport.checksumOk);
    }
  });

  Deno.test(`an IPv${family} flow whose first packets were lost on their way is translated all the same`, () => {
    const { bench, pod, uplink } = cnatScene();
    const router = family === 4 ? "192.0.2.253" : "2001:db8::fd";
    bench.via(family === 4 ? "0.0.0.0/0" : "::/0", uplink, router);
    const packet = udp(net.pod, net.outside, [1000, 53]);
    // Nobody knows the router yet: the packet is lost over the question.
    for (const sent of bench.receiveIp(pod, POD_MAC, packet)) {
      assert(String(sent.ip?.destination) !== net.outside);
    }
    bench.neighbor(uplink, router, OUT_MAC);
    const [out] = bench.receiveIp(pod, POD_MAC, packet);
    assertEquals(endsOf(out).text, `${net.own} > ${net.outside}`);
  });

  Deno.test(`that an IPv${family} answer is too big for its pod is told in its sender's words`, () => {
    const { bench, pod, uplink } = cnatScene();
    const [out] = bench.receiveIp(pod, POD_MAC, udp(net.pod, net.outside, [1000, 53]));
    const [port] = endsOf(out).ports;
    bench.plane.setMtu(pod, [1400, 0, 0, 0]);
    const ends = { source: net.outside, destination: net.own };
    const payload = new Uint8Array(1450).fill(7);
    const datagram = udpDatagram({ ...ends, sourcePort: 53, destinationPort: port, payload });
    const whole = family === 4
      ? ip4Packet({ ...ends, protocol: IpProtocol.UDP, payload: datagram, fragment: 0x4000 })
      : ip6Packet({ ...ends, nextHeader: IpProtocol.UDP, payload: datagram });
    const [told, ...more] = bench.receiveIp(uplink, OUT_MAC, whole);
    assertEquals(more, []);
    assertEquals([told?.swIfIndex, String(told?.ip?.destination)], [uplink, net.outside]);
    const icmp = parseIcmp(told!.ip!)!;
    assertEquals([icmp.rest, icmp.checksumOk], [1400, true]);
    const quoted = icmp.payload;
    // As it was sent, but for the hop that it made.
    const [hops, header] = family === 4 ? [8, 12] : [7, 8];
    assertEquals(quoted.subarray(0, hops), whole.subarray(0, hops));
    assertEquals(quoted.subarray(header), whole.subarray(header, quoted.length));
  });

  Deno.test(`a partial checksum over IPv${family} stays right through a translation`, () => {
    const { bench, pod } = cnatScene();
    const packet = tcp(SYN)(net.pod, net.outside, [1000, 80]);
    const ip = family === 4 ? 20 : 40;
    const length = packet.length - ip;
    const view = new DataView(packet.buffer);
    const ends = [IpAddress.parse(net.pod), IpAddress.parse(net.outside)] as const;
    view.setUint16(ip + 16, pseudoHeaderSum(...ends, IpProtocol.TCP, length));
    const destination = bench.plane.interface(pod)!.mac;
    const frame = ethernetFrame({ source: POD_MAC, destination, payload: packet });
    const header = { flags: 1, csumStart: 14 + ip, csumOffset: 16 };
    const [out] = bench.receiveVnet(pod, vnetFrame(frame, header));
    const bytes = out!.bytes.slice(VNET_HEADER_LENGTH);
    const sum = internetChecksum(bytes, 14 + ip, bytes.length - 14 - ip);
    new DataView(bytes.buffer).setUint16(14 + ip + 16, sum);
    assert(parseTransport(parseIp(bytes.subarray(14))!)?.checksumOk);
    const isGso = { ...header, gsoType: family === 4 ? VnetGso.TCPV4 : VnetGso.TCPV6, gsoSize: 3 };
    const [whole] = bench.receiveVnet(pod, vnetFrame(frame, isGso));
    assertEquals(whole?.bytes[1], isGso.gsoType);
  });
}

Deno.test("a pod that reaches itself is translated; who but looks alike in 32 bits is not", () => {
  const { bench, pod, pod2 } = cnatScene();
  const same = "fd00:2::2";
  bench.neighbor(pod2, same, POD_MAC);
  bench.via(same, pod2);
  const [itself] = bench.receiveIp(pod, POD_MAC, udp(NET[6].pod, NET[6].pod, [1, 2]));
  assertEquals(endsOf(itself).text, `${NET[6].own} > ${NET[6].pod}`);
  const [alike] = bench.receiveIp(pod, POD_MAC, udp(NET[6].pod, same, [1, 2]));
  assertEquals(endsOf(alike).text, `${NET[6].pod} > ${same}`);
});

Deno.test("fragments made here are translated whole; others that lack ports do not leave", () => {
  const { bench, pod, uplink } = cnatScene();
  bench.plane.setMtu(uplink, [1000, 0, 0, 0]);
  const ends = { source: NET[4].pod, destination: NET[4].outside };
  const payload = udpDatagram({
    ...ends,
    sourcePort: 5,
    destinationPort: 6,
    payload: Uint8Array.from({ length: 1800 }, (_, i) => i),
  });
  const whole = ip4Packet({ ...ends, protocol: IpProtocol.UDP, payload });
  const sent = bench.receiveIp(pod, POD_MAC, whole);
  assertEquals(sent.length, 2);
  const data = concatBytes(...sent.map(({ ip }) => ip!.payload));
  for (const { ip } of sent) assertEquals([String(ip!.source), ip!.checksumOk], [NET[4].own, true]);
  const joined = ip4Packet({
    source: NET[4].own,
    destination: NET[4].outside,
    protocol: IpProtocol.UDP,
    payload: data,
  });
  assert(parseTransport(parseIp(joined)!)?.checksumOk);
  assertEquals(data.subarray(8), payload.subarray(8));
  const later = ip4Packet({
    ...ends,
    protocol: IpProtocol.UDP,
    payload: payload.subarray(0, 64),
    fragment: 100,
  });
  assertEquals(bench.receiveIp(pod, POD_MAC, later), []);
  assertEquals(bench.count("cnat-output-ip4: unknown session"), 1);
  const toPod = ip4Packet({
    ...ends,
    destination: NET[4].pod2,
    protocol: IpProtocol.UDP,
    payload: payload.subarray(0, 64),
    fragment: 100,
  });
  assertEquals(bench.receiveIp(pod, POD_MAC, toPod).length, 1);
});

Deno.test("flows end: soon if idle, later if they are connections, at once when they close", () => {
  const count = (bench: TestBench): number => [...bench.plane.cnat.sessions()].length;
  const { bench, pod, uplink } = cnatScene();
  const net = NET[4];
  const wait = (seconds: number): void => {
    bench.nowMs += 1000 * seconds;
    bench.plane.tick(bench.nowMs);
  };
  bench.receiveIp(pod, POD_MAC, udp(net.pod, net.outside, [1, 2]));
  assertEquals(count(bench), 2);
  wait(29);
  assertEquals(count(bench), 2);
  wait(2);
  assertEquals(count(bench), 0);
  const [out] = bench.receiveIp(pod, POD_MAC, tcp(SYN)(net.pod, net.outside, [1, 2]));
  const [port] = endsOf(out).ports;
  bench.receiveIp(uplink, OUT_MAC, tcp(SYN_ACK)(net.outside, net.own, [2, port]));
  wait(3599);
  assertEquals(count(bench), 2);
  bench.receiveIp(pod, POD_MAC, tcp(0x14)(net.pod, net.outside, [1, 2]));
  wait(6);
  assertEquals(count(bench), 0);
});

Deno.test("without room for another flow what must be translated is dropped, the rest passes", () => {
  const { bench, pod } = cnatScene({ maxFlows: 3 });
  const net = NET[4];
  for (let port = 1; port <= 3; port++) {
    assertEquals(bench.receiveIp(pod, POD_MAC, udp(net.pod, net.outside, [port, 9])).length, 1);
  }
  assertEquals(bench.receiveIp(pod, POD_MAC, udp(net.pod, net.outside, [4, 9])), []);
  assertEquals(bench.count("cnat-lookup-ip4: session allocation failure"), 1);
  assertEquals(bench.receiveIp(pod, POD_MAC, udp(net.pod, net.pod2, [4, 9])).length, 1);
});

Deno.test("ports run out and come back", () => {
  const { bench, pod } = cnatScene();
  const net = NET[4];
  const send = (i: number): number =>
    bench.receiveIp(pod, POD_MAC, udp(net.pod, net.outside, [1000 + i, 9])).length;
  const ports = 0xfffe - 0xc000 + 1;
  for (let i = 0; i < ports; i++) assertEquals(send(i), 1);
  assertEquals(send(ports), 0);
  assertEquals(bench.count("cnat-output-ip4: no more free ports"), 1);
  bench.nowMs += 40_000;
  for (let i = 0; i < 10; i++) bench.plane.tick(bench.nowMs);
  assertEquals(send(ports), 1);
});
