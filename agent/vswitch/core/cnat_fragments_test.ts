/** Datagrams in fragments through source translation. Record: 0017. */
import { assert, assertEquals } from "@contiv/assert";
import {
  concatBytes,
  echoPacket,
  ethernetFrame,
  icmp4Message,
  Icmp4Type,
  icmp6Message,
  Icmp6Type,
  ip4Packet,
  IpProtocol,
  type ParsedIp,
  parseEthernet,
  parseIcmp,
  parseIp,
  tcpSegment,
  VNET_HEADER_LENGTH,
  vnetFrame,
} from "@contiv/net";
import { cnatScene, NET, OUT_MAC, pass, POD_MAC, portOf } from "./cnat_testing.ts";
import { datagram, endsOf, fragmentsOf, packetOf, Reassembler } from "./fragment_testing.ts";

/** Flows of the fragments' table; packets that may be held. */
const TABLE = 4096;
const MOST_HELD = 64;

for (const family of [4, 6] as const) {
  const net = NET[family];

  Deno.test(`a datagram in IPv${family} fragments leaves as the node's, and its answer in any order comes back`, () => {
    const scene = cnatScene();
    const { pod, uplink } = scene;
    const out = fragmentsOf(datagram(net.pod, net.outside, [1000, 53]), 77, [1400, 1400]);
    const { sent, whole } = pass(scene, pod, out);
    assertEquals(sent.map(({ swIfIndex }) => swIfIndex), [uplink, uplink, uplink]);
    assertEquals(whole.length, 1);
    const port = portOf(whole[0]);
    assert(port >= 0xc000);
    assertEquals(endsOf(whole[0]!), `${net.own}|${port} ${net.outside}|53`);
    const answer = datagram(net.outside, net.own, [53, port], 4000);
    for (const order of [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]]) {
      const back = fragmentsOf(answer, 100 + order[0]! * 3 + order[1]!, [1400, 1400]);
      const { sent, whole } = pass(scene, uplink, order.map((i) => back[i]!));
      assertEquals(sent.map(({ swIfIndex }) => swIfIndex), [pod, pod, pod]);
      assertEquals(whole.map(endsOf), [`${net.outside}|53 ${net.pod}|1000`]);
    }
  });

  Deno.test(`what comes to a pod in IPv${family} fragments is answered under the pod's own address`, () => {
    for (const order of [[0, 1, 2], [2, 1, 0]]) {
      const scene = cnatScene();
      const { pod, uplink } = scene;
      const asked = fragmentsOf(datagram(net.outside, net.pod, [4000, 53]), 5, [1400, 1400]);
      const there = pass(scene, uplink, order.map((i) => asked[i]!));
      assertEquals(there.whole.map(endsOf), [`${net.outside}|4000 ${net.pod}|53`]);
      const whole = pass(scene, pod, [datagram(net.pod, net.outside, [53, 4000], 10)]);
      assertEquals(whole.whole.map(endsOf), [`${net.pod}|53 ${net.outside}|4000`]);
      const answer = fragmentsOf(datagram(net.pod, net.outside, [53, 4000]), 6, [1400]);
      const back = pass(scene, pod, answer);
      assertEquals(back.whole.map(endsOf), [`${net.pod}|53 ${net.outside}|4000`]);
    }
  });

  Deno.test(`an IPv${family} echo in fragments is answered to who asked`, () => {
    const scene = cnatScene();
    const { pod2, uplink } = scene;
    const payload = new Uint8Array(2000).fill(9);
    const echo = (source: string, destination: string, id: number, reply = false): Uint8Array =>
      echoPacket({ source, destination, id, reply, payload });
    const out = pass(scene, pod2, fragmentsOf(echo(net.pod2, net.outside, 7), 1, [1200]));
    const asked = parseIcmp(out.whole[0]!)!;
    assert(asked.checksumOk);
    assertEquals(String(out.whole[0]!.source), net.own);
    const reply = echo(net.outside, net.own, asked.rest >>> 16, true);
    const back = pass(scene, uplink, fragmentsOf(reply, 1, [1200]).reverse());
    const answer = parseIcmp(back.whole[0]!)!;
    assertEquals([answer.checksumOk, answer.rest >>> 16], [true, 7]);
    assertEquals(String(back.whole[0]!.destination), net.pod2);
    assertEquals(back.sent.map(({ swIfIndex }) => swIfIndex), [pod2, pod2]);
  });

  Deno.test(`an ICMP error about a first IPv${family} fragment tells the pod of its own`, () => {
    const scene = cnatScene();
    const { bench, pod, uplink } = scene;
    const first = fragmentsOf(datagram(net.pod, net.outside, [1000, 53]), 77, [1232])[0]!;
    const [out] = bench.receiveIp(pod, POD_MAC, first);
    const payload = parseEthernet(out!.bytes.subarray(VNET_HEADER_LENGTH))!.payload.subarray(
      0,
      500,
    );
    const ends = { source: family === 4 ? "203.0.113.9" : "2001:db8:9::9", destination: net.own };
    const [type, code] = family === 4 ? [Icmp4Type.TIME_EXCEEDED, 1] : [Icmp6Type.TOO_BIG, 0];
    const error = { type, code, rest: family === 4 ? 0 : 1280, payload };
    const message = family === 4 ? icmp4Message(error) : icmp6Message({ ...ends, ...error });
    const protocol = family === 4 ? IpProtocol.ICMP : IpProtocol.ICMP6;
    const packet = packetOf(ends.source, ends.destination, protocol, message);
    const [told] = bench.receiveIp(uplink, OUT_MAC, packet);
    assertEquals([told?.swIfIndex, String(told?.ip?.destination)], [pod, net.pod]);
    const icmp = parseIcmp(told!.ip!)!;
    assert(icmp.checksumOk);
    const quoted = icmp.payload;
    const header = family === 4 ? 20 : 48;
    // The pod's packet as it was, but for the hop that it made and IPv4's identification.
    assertEquals(quoted.subarray(header), first.subarray(header, quoted.length));
    const [from, to] = family === 4 ? [12, 20] : [8, 40];
    assertEquals(quoted.subarray(from, to), first.subarray(from, to));
  });

  Deno.test(`fragments of IPv${family} to the node itself are put together in any order`, () => {
    for (const order of [[0, 1], [1, 0]]) {
      const scene = cnatScene();
      const ends = { source: net.outside, destination: net.own };
      const ping = echoPacket({ ...ends, payload: new Uint8Array(1800) });
      const parts = fragmentsOf(ping, 9, [1000]);
      const { whole } = pass(scene, scene.uplink, order.map((i) => parts[i]!));
      assertEquals(whole.map(({ source }) => String(source)), [net.own]);
      assert(parseIcmp(whole[0]!)?.checksumOk);
    }
  });

  Deno.test(`a later IPv${family} fragment without its first does not get out`, () => {
    const scene = cnatScene();
    const { bench, pod, pod2 } = scene;
    const parts = fragmentsOf(datagram(net.pod, net.outside, [1000, 53]), 77, [1400, 1400]);
    assertEquals(pass(scene, pod, [parts[1]!, parts[0]!]).sent.length, 1);
    assertEquals(bench.count(`cnat-output-ip${family}: unknown session`), 1);
    assertEquals(pass(scene, pod, [parts[2]!]).sent.length, 1);
    // By another interface it is another datagram's; after its time nobody's.
    assertEquals(pass(scene, pod2, [parts[2]!]).sent.length, 0);
    bench.nowMs += 30_001;
    assertEquals(pass(scene, pod, [parts[2]!]).sent.length, 0);
    const inside = fragmentsOf(datagram(net.pod, net.pod2, [1, 2]), 78, [1400]);
    assertEquals(pass(scene, pod, [inside[1]!]).sent.map((each) => each.swIfIndex), [pod2]);
  });

  Deno.test(`a first IPv${family} fragment that has not all of its transport's header does not get out`, () => {
    const scene = cnatScene();
    const { bench, pod, uplink } = scene;
    const ends = { source: net.pod, destination: net.outside };
    const tcp = tcpSegment({ ...ends, sourcePort: 1, destinationPort: 2, flags: 2 });
    const segment = packetOf(net.pod, net.outside, IpProtocol.TCP, concatBytes(tcp, tcp));
    for (const size of [8, 16]) {
      assertEquals(pass(scene, pod, fragmentsOf(segment, 1, [size, 8])).sent, []);
    }
    assertEquals(pass(scene, pod, fragmentsOf(segment, 2, [24])).sent.length, 2);
    // Neither does one with octets behind it that look like the rest.
    const cut = fragmentsOf(segment, 3, [16])[0]!;
    const padded = ethernetFrame({
      source: POD_MAC,
      destination: bench.plane.interface(pod)!.mac,
      payload: concatBytes(cut, new Uint8Array(40).fill(1)),
    });
    assertEquals(bench.receiveVnet(pod, vnetFrame(padded)), []);
    // Its answers in such pieces are nobody's; what follows waits for nothing.
    const answer = packetOf(net.outside, net.own, IpProtocol.TCP, concatBytes(tcp, tcp));
    pass(scene, uplink, fragmentsOf(answer, 4, [8]));
    assertEquals(bench.count("cnat-fragment: later fragments held until their first came"), 0);
  });

  Deno.test(`a flow that ended takes no IPv${family} fragments to who got its number`, () => {
    const scene = cnatScene({ maxFlows: 1 });
    const { bench, pod, pod2, uplink } = scene;
    const [out] = pass(scene, pod, [datagram(net.pod, net.outside, [1, 53], 10)]).whole;
    const answer = datagram(net.outside, net.own, [53, portOf(out)]);
    const parts = fragmentsOf(answer, 1, [1400]);
    assertEquals(pass(scene, uplink, [parts[0]!]).sent.map((each) => each.swIfIndex), [pod]);
    bench.plane.cnat.forget(0);
    assertEquals(pass(scene, pod2, [datagram(net.pod2, net.outside, [1, 53], 10)]).sent.length, 1);
    assertEquals(pass(scene, uplink, [parts[1]!]).sent, []);
  });

  Deno.test(`floods of IPv${family} fragments cost others nothing, and no room for long`, () => {
    const scene = cnatScene();
    const { bench, pod, pod2, uplink } = scene;
    const { held } = bench.plane.cnat;
    const orphans = fragmentsOf(datagram(net.outside, net.own, [53, 0xc000]), 0, [1400])[1]!;
    const at = family === 4 ? 4 : 44;
    for (let id = 0; id < 500; id++) {
      new DataView(orphans.buffer).setUint16(at, id);
      const sent = bench.receiveIp(uplink, OUT_MAC, family === 4 ? resummed(orphans) : orphans);
      assertEquals(sent, []);
      assert(held.size <= MOST_HELD);
    }
    assertEquals(held.size, MOST_HELD);
    const noRoom = "cnat-fragment: later fragments that there was no room to hold";
    assertEquals(bench.count(noRoom), 500 - MOST_HELD);
    const parts = (source: string, id: number): Uint8Array[] =>
      fragmentsOf(datagram(source, net.outside, [1, 53]), id, [1400, 1400]);
    const [first] = parts(net.pod2, 0);
    for (let id = 1; id <= 3 * TABLE; id++) {
      new DataView(first!.buffer).setUint16(at, id);
      bench.receiveIp(pod2, POD_MAC, family === 4 ? resummed(first!) : first!);
    }
    assertEquals(pass(scene, pod, parts(net.pod, 1)).whole.length, 1);
    bench.plane.tick(bench.nowMs);
    const forgotten = bench.count("cnat-fragment: datagrams forgotten for newer ones");
    assert(forgotten > 2 * TABLE, `${forgotten} forgotten`);
    bench.nowMs += 1001;
    bench.plane.tick(bench.nowMs);
    assertEquals(held.size, 0);
    const timeouts = "cnat-fragment: later fragments whose first did not come";
    assertEquals(bench.count(timeouts), MOST_HELD);
  });
}

Deno.test("fragments of two pods with one identification leave under two", () => {
  const scene = cnatScene();
  const { bench, pod, pod2 } = scene;
  const net = NET[4];
  const ends = [[pod, net.pod], [pod2, net.pod2]] as const;
  const parts = ends.map(([, source]) =>
    fragmentsOf(datagram(source, net.outside, [1000, 53]), 7, [1400, 1400])
  );
  const reassembler = new Reassembler();
  const whole: ParsedIp[] = [];
  for (let i = 0; i < 3; i++) {
    for (const [j, [from]] of ends.entries()) {
      for (const { ip } of bench.receiveIp(from, POD_MAC, parts[j]![i]!)) {
        const one = reassembler.take(ip!);
        if (one) whole.push(one);
      }
    }
  }
  assertEquals(whole.map(endsOf).map((text) => text.split("|")[0]), [net.own, net.own]);
  assert(portOf(whole[0]) !== portOf(whole[1]));
});

Deno.test("what is held for an interface goes with it", () => {
  const scene = cnatScene();
  const { bench, pod, uplink } = scene;
  const net = NET[4];
  const [out] = pass(scene, pod, [datagram(net.pod, net.outside, [1, 53], 10)]).whole;
  const parts = fragmentsOf(datagram(net.outside, net.own, [53, portOf(out)]), 1, [1400]);
  assertEquals(pass(scene, uplink, [parts[1]!]).sent, []);
  assertEquals(bench.plane.cnat.held.size, 1);
  bench.plane.deleteInterface(uplink);
  const again = bench.add("up", "02:fe:00:00:00:04", ["192.0.2.1/24"]);
  assertEquals(again, uplink);
  bench.plane.cnat.enable(again, true);
  assertEquals(pass(scene, again, [parts[0]!]).sent.map((each) => each.swIfIndex), [pod]);
  assertEquals(bench.plane.cnat.held.size, 0);
});

/** An IPv4 packet with its header's checksum made right. */
function resummed(packet: Uint8Array): Uint8Array {
  const { source, destination, protocol, payload, id, fragment } = parseIp(packet)!;
  return ip4Packet({ source, destination, protocol, payload, id, fragment });
}
