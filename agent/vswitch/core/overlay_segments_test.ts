/** Segmentation frames through tunnels, and segments that become one frame again behind them. */
import { assert, assertEquals } from "@contiv/assert";
import {
  concatBytes,
  ethernetFrame,
  Ip4Fragment,
  ip4Packet,
  ip6Packet,
  IpProtocol,
  type ParsedTransport,
  parseEthernet,
  parseIp,
  parseTransport,
  tcpSegment,
  udpDatagram,
  VNET_NEEDS_CSUM,
  vnetFrame,
  VnetGso,
} from "@contiv/net";
import fc from "fast-check";
import type { Sent } from "./testing.ts";
import { type Node, node, POD_MAC } from "./overlay_testing.ts";
import { onWire } from "./wire_testing.ts";

const PODS = [["10.1.0.2", "10.2.0.2"], ["fd00:1::2", "fd00:2::2"]] as const;
const FAMILIES = [4, 6] as const;

/** A segmentation frame as a pod's kernel hands it over. */
function bulk(
  a: Node,
  [source, destination]: readonly [string, string],
  data: Uint8Array,
  size: number,
  { tcp = true, fragment = 0x4000, flags = 0x18 } = {},
): Uint8Array {
  const is6 = source.includes(":");
  const ends = { source, destination, sourcePort: 1, destinationPort: 2, payload: data };
  const payload = tcp
    ? tcpSegment({ ...ends, sequence: 0xfffffff0, flags, checksum: "partial" })
    : udpDatagram({ ...ends, checksum: "partial" });
  const protocol = tcp ? IpProtocol.TCP : IpProtocol.UDP;
  const packet = is6
    ? ip6Packet({ source, destination, nextHeader: protocol, payload })
    : ip4Packet({ source, destination, protocol, payload, id: 0xfffe, fragment });
  const mac = a.bench.plane.interface(a.pod)!.mac;
  const csumStart = 14 + (is6 ? 40 : 20);
  return vnetFrame(ethernetFrame({ source: POD_MAC, destination: mac, payload: packet }), {
    flags: 1,
    gsoType: tcp ? is6 ? VnetGso.TCPV6 : VnetGso.TCPV4 : VnetGso.UDP_L4,
    gsoSize: size,
    hdrLen: csumStart + (tcp ? 20 : 8),
    csumStart,
    csumOffset: tcp ? 16 : 6,
  });
}

/** All frames that leave, as they are on a wire. */
function wires(sent: readonly Sent[]): Uint8Array[] {
  return sent.flatMap(({ bytes }) => onWire(bytes));
}

/** What an underlay's frames carry: each checked whole, outside and inside. */
function unpack(frames: readonly Uint8Array[]): ParsedTransport[] {
  return frames.map((frame) => {
    const outer = parseIp(parseEthernet(frame)!.payload)!;
    const udp = parseTransport(outer)!;
    assert(outer.checksumOk && udp.checksumOk);
    assertEquals(udp.payload.subarray(0, 8).toHex(), "0800000000000a00");
    const inner = parseIp(parseEthernet(udp.payload.subarray(8))!.payload)!;
    const transport = parseTransport(inner)!;
    assert(inner.checksumOk && transport.checksumOk);
    return transport;
  });
}

function dataOf(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i * 7 + (i >> 8));
}

for (const family of FAMILIES) {
  for (const pods of PODS) {
    const is6 = pods[0].includes(":");
    const mtu = family === 4 ? 1450 : 1430;
    const size = mtu - (is6 ? 60 : 40);
    const inner = is6 ? "IPv6" : "IPv4";

    Deno.test(`a TCP frame of ${inner} crosses an IPv${family} underlay as one, and is one again`, () => {
      const [a, b] = [node(1, family), node(2, family)];
      const data = dataOf(5 * size + 17);
      const sent = a.bench.receiveVnet(a.pod, bulk(a, pods, data, size));
      assertEquals(sent.map(({ swIfIndex }) => swIfIndex), [a.uplink]);
      assertEquals(sent[0]!.bytes[1], VnetGso.UDP_L4);
      const frames = wires(sent);
      assert(frames.every((frame) => frame.length - 14 <= 1500));
      assertEquals(frames.slice(0, 5).map((frame) => frame.length - 14), Array(5).fill(1500));
      const segments = unpack(frames);
      assertEquals(concatBytes(...segments.map(({ payload }) => payload)), data);
      assertEquals(a.bench.plane.interface(a.tunnel)!.counters.txPackets, 6);

      const whole = b.bench.receiveVnet(b.uplink, sent[0]!.bytes);
      assertEquals(b.bench.plane.interface(b.tunnel)!.counters.rxPackets, 6);
      const pieces = b.bench.receiveBatch(b.uplink, frames.map((frame) => vnetFrame(frame)));
      for (const out of [whole, pieces]) {
        assertEquals(out.length, 1);
        assertEquals(out[0]!.bytes[1], is6 ? VnetGso.TCPV6 : VnetGso.TCPV4);
        const got = wires(out).map((frame) => parseIp(parseEthernet(frame)!.payload)!);
        assert(got.every((ip) => ip.checksumOk && parseTransport(ip)?.checksumOk));
        assertEquals(concatBytes(...got.map((ip) => parseTransport(ip)!.payload)), data);
        const flags = got.map((ip) => ip.payload[13]);
        assertEquals(flags, [0x10, 0x10, 0x10, 0x10, 0x10, 0x18]);
        if (!is6) assertEquals(got.map(({ id }) => id), [0xfffe, 0xffff, 0, 1, 2, 3]);
      }
    });
  }

  Deno.test(`a TCP frame of 64 KB needs two packets in an IPv${family} tunnel, and is whole behind it`, () => {
    for (const pods of PODS) {
      const [a, b] = [node(1, family), node(2, family)];
      const data = dataOf(65_000);
      const sent = a.bench.receiveVnet(a.pod, bulk(a, pods, data, 1300));
      assertEquals(sent.length, 2);
      unpack(wires(sent));
      const out = b.bench.receiveBatch(b.uplink, sent.map(({ bytes }) => bytes));
      assertEquals(out.length, 1);
      const ip = out[0]!.ip!;
      assertEquals(ip.payload.subarray(20), data);
    }
  });

  Deno.test(`a frame of UDP datagrams crosses an IPv${family} underlay as one, and is many again`, () => {
    for (const pods of PODS) {
      const [a, b] = [node(1, family), node(2, family)];
      const data = dataOf(4 * 1_000 + 1);
      const sent = a.bench.receiveVnet(a.pod, bulk(a, pods, data, 1_000, { tcp: false }));
      assertEquals(sent.length, 1);
      unpack(wires(sent));
      const out = b.bench.receiveVnet(b.uplink, sent[0]!.bytes);
      assertEquals(out.map(({ ip }) => parseTransport(ip!)?.payload.length), [
        1_000,
        1_000,
        1_000,
        1_000,
        1,
      ]);
      assert(out.every(({ ip }) => parseTransport(ip!)?.checksumOk));
    }
  });

  Deno.test(`an uplink of IPv${family} that cannot cut gets a frame for each segment`, () => {
    for (const pods of PODS) {
      const a = node(1, family, { segmentsUdp: false });
      const sent = a.bench.receiveVnet(a.pod, bulk(a, pods, dataOf(6_000), 1_300));
      assertEquals(sent.length, 5);
      assert(sent.every(({ bytes }) => bytes[1] === VnetGso.NONE));
      const segments = unpack(wires(sent));
      assertEquals(concatBytes(...segments.map(({ payload }) => payload)), dataOf(6_000));
    }
  });
}

Deno.test("a tunnel's packets that do not fit the underlay are fragmented one by one", () => {
  const [a, b] = [node(1, 4), node(2, 4)];
  a.bench.plane.setMtu(a.uplink, [1_000, 0, 0, 0]);
  const sent = a.bench.receiveVnet(a.pod, bulk(a, PODS[0], dataOf(4_000), 1_300));
  assertEquals(sent.length, 7);
  assert(sent.every(({ ip, bytes }) => ip!.payload.length <= 980 && bytes[1] === VnetGso.NONE));
  const out = b.bench.receiveBatch(b.uplink, sent.map(({ bytes }) => bytes));
  const got = wires(out).map((frame) => parseTransport(parseIp(parseEthernet(frame)!.payload)!)!);
  assert(got.every(({ checksumOk }) => checksumOk));
  assertEquals(concatBytes(...got.map(({ payload }) => payload)), dataOf(4_000));
});

Deno.test("a frame of datagrams that may be fragmented and do not fit is cut before", () => {
  const a = node(1, 4);
  a.bench.plane.setMtu(a.bvi, [600, 0, 0, 0]);
  const udp = bulk(a, PODS[0], dataOf(3_000), 1_000, { tcp: false, fragment: 0 });
  const sent = a.bench.receiveVnet(a.pod, udp);
  const inner = wires(sent).map((frame) => {
    const outer = parseTransport(parseIp(parseEthernet(frame)!.payload)!)!;
    return parseIp(parseEthernet(outer.payload.subarray(8))!.payload)!;
  });
  assertEquals(inner.length, 6);
  const firsts = inner.filter(({ fragment }) => (fragment & Ip4Fragment.OFFSET) === 0);
  assertEquals(firsts.length, 3);
  assertEquals(new Set(inner.map(({ id }) => id)).size, 3);
});

Deno.test("a segmentation frame in a tunnel that is none is dropped", () => {
  const [a, b] = [node(1, 4), node(2, 4)];
  const [sent] = a.bench.receiveVnet(a.pod, bulk(a, PODS[0], dataOf(5_000), 1_300));
  const changed = (change: (bytes: Uint8Array, view: DataView) => void): Uint8Array => {
    const bytes = sent!.bytes.slice();
    change(bytes, new DataView(bytes.buffer));
    return bytes;
  };
  const reason = "vxlan4-input: packets with bad flags field in vxlan header";
  const bad: [string, (bytes: Uint8Array, view: DataView) => void][] = [
    ["of another type", (bytes) => void (bytes[1] = VnetGso.TCPV4)],
    ["without a size", (_, view) => view.setUint16(4, 0, true)],
    ["of too small a size", (_, view) => view.setUint16(4, 21, true)],
  ];
  for (const [index, [name, change]] of bad.entries()) {
    assertEquals(b.bench.receiveVnet(b.uplink, changed(change)), [], name);
    assertEquals(b.bench.count(reason), index + 1, name);
  }
  const each = 8 + 14 + 20 + 20 + 1_300;
  // The second segment is of another network: what is about it goes on.
  const out = b.bench.receiveVnet(
    b.uplink,
    changed((bytes) => void (bytes[10 + 42 + each + 6] = 11)),
  );
  assertEquals(b.bench.count(reason), bad.length + 1);
  assertEquals(out.map(({ ip }) => ip!.payload.length), [1_320, 2_420]);
});

Deno.test("of a frame that has answered to congestion only the first segment says so", () => {
  const [a, b] = [node(1, 4), node(2, 4)];
  const frame = bulk(a, PODS[0], dataOf(5_000), 1_300, { flags: 0x98 });
  const [sent] = a.bench.receiveVnet(a.pod, frame);
  const out = b.bench.receiveVnet(b.uplink, sent!.bytes);
  const flags = wires(out).map((each) => parseIp(parseEthernet(each)!.payload)!.payload[13]);
  assertEquals(flags, [0x90, 0x10, 0x10, 0x18]);
  assertEquals(out.length, 2);
});

Deno.test("a tunnel in a tunnel is dropped, however deep", () => {
  const [a, b] = [node(1, 4), node(2, 4)];
  let payload = new Uint8Array(30);
  const ends = { source: "192.0.2.1", destination: "192.0.2.2" };
  for (let depth = 0; depth < 1_200; depth++) {
    const data = concatBytes(Uint8Array.of(8, 0, 0, 0, 0, 0, 10, 0), payload);
    const ports = { sourcePort: 50_000, destinationPort: 4789 };
    const datagram = udpDatagram({ ...ends, ...ports, payload: data, checksum: "none" });
    payload = Uint8Array.from(ethernetFrame({
      source: "02:fe:00:00:02:01",
      destination: depth === 1_199
        ? b.bench.plane.interface(b.uplink)!.mac
        : b.bench.plane.interface(b.bvi)!.mac,
      payload: ip4Packet({ ...ends, protocol: IpProtocol.UDP, payload: datagram }),
    }));
  }
  assertEquals(b.bench.receive(b.uplink, payload), []);
  assertEquals(b.bench.plane.interface(b.tunnel)!.counters.rxPackets, 1);
  assertEquals(a.bench.sent, []);
});

/** How a segment differs from one that simply follows. */
const CHANGES = [
  "none",
  "none",
  "none",
  "none",
  "none",
  "none",
  "short",
  "long",
  "push",
  "fin",
  "reset",
  "urgent",
  "no ack",
  "ece",
  "cwr",
  "gap",
  "again",
  "ack",
  "window",
  "ttl",
  "tos",
  "may fragment",
  "id",
  "port",
  "checksum",
  "ip checksum",
  "mac",
  "padding",
  "empty",
] as const;

/** Frames of TCP as they arrive behind a tunnel, of a flow where something changes now and then. */
function arrivals(family: 4 | 6, changes: readonly (typeof CHANGES[number])[]): Uint8Array[] {
  const [source, destination] = PODS[family === 4 ? 0 : 1];
  let [sequence, acknowledgment, window, id, ttl, tos, port] = [
    0xffffff00,
    7,
    500,
    0xfffe,
    9,
    0,
    1,
  ];
  let fragment: number = Ip4Fragment.DONT;
  return changes.map((change, index) => {
    const length = { short: 50, long: 101, empty: 0, padding: 94 }[change as string] ?? 100;
    let flags = 0x10;
    if (change === "push") flags |= 0x08;
    if (change === "fin") flags |= 0x01;
    if (change === "reset") flags |= 0x04;
    if (change === "urgent") flags |= 0x20;
    if (change === "no ack") flags = 0;
    if (change === "ece") flags |= 0x40;
    if (change === "cwr") flags |= 0x80;
    if (change === "gap") sequence += 100;
    if (change === "again") sequence -= 100;
    if (change === "ack") acknowledgment++;
    if (change === "window") window++;
    if (change === "ttl") ttl++;
    if (change === "tos") tos ^= 1;
    if (change === "may fragment") fragment ^= Ip4Fragment.DONT;
    if (change === "id") id += 2;
    if (change === "port") port++;
    const payload = dataOf(length).map((octet) => octet + index);
    const tcp = tcpSegment({
      source,
      destination,
      sourcePort: port,
      destinationPort: 2,
      sequence: sequence >>> 0,
      acknowledgment,
      window,
      flags,
      payload,
    });
    if (change === "checksum") tcp[16]! ^= 1;
    const packet = family === 4
      ? ip4Packet({
        source,
        destination,
        protocol: IpProtocol.TCP,
        payload: tcp,
        id: id & 0xffff,
        ttl,
        tos,
        fragment,
      })
      : ip6Packet({
        source,
        destination,
        nextHeader: IpProtocol.TCP,
        payload: tcp,
        hopLimit: ttl,
        trafficClass: tos,
      });
    if (change === "ip checksum" && family === 4) packet[10]! ^= 1;
    sequence += length;
    id++;
    const padding = new Uint8Array(change === "padding" ? 6 : 0);
    return ethernetFrame({
      source: change === "mac" ? "02:fe:00:00:02:09" : "02:fe:00:00:02:01",
      destination: "02:fe:00:00:02:02",
      payload: concatBytes(packet, padding),
    });
  });
}

/** Puts a frame into the packet of a tunnel from node 1 to node 2. */
function tunnelled(frame: Uint8Array, to: Node, family: 4 | 6): Uint8Array {
  const [source, destination] = family === 4
    ? ["192.0.2.1", "192.0.2.2"]
    : ["2001:db8::1", "2001:db8::2"];
  const ends = { source: source!, destination: destination! };
  const payload = concatBytes(Uint8Array.of(8, 0, 0, 0, 0, 0, 10, 0), frame);
  const datagram = udpDatagram({ ...ends, sourcePort: 50_000, destinationPort: 4789, payload });
  const packet = family === 4
    ? ip4Packet({ ...ends, protocol: IpProtocol.UDP, payload: datagram })
    : ip6Packet({ ...ends, nextHeader: IpProtocol.UDP, payload: datagram });
  const mac = to.bench.plane.interface(to.uplink)!.mac;
  return ethernetFrame({ source: "02:fe:00:00:01:01", destination: mac, payload: packet });
}

Deno.test("what is taken together leaves as if each segment had been taken alone", () => {
  const change = fc.constantFrom(...CHANGES);
  let merged = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...FAMILIES),
      fc.constantFrom(...FAMILIES),
      fc.boolean(),
      fc.array(change, { minLength: 1, maxLength: 30 }),
      (family, inner, trusted, changes) => {
        // A wrong checksum that nobody looks at would be put right.
        const kept = changes.map((each) => trusted && each === "checksum" ? "none" : each);
        const csumStart = family === 4 ? 34 : 54;
        const left = trusted ? { flags: VNET_NEEDS_CSUM, csumStart, csumOffset: 6 } : {};
        const frames = arrivals(inner, kept).map((frame) =>
          vnetFrame(tunnelled(frame, node(2, family), family), left)
        );
        const [alone, together] = [node(2, family), node(2, family)];
        const expected = frames.flatMap((frame) =>
          wires(alone.bench.receiveVnet(alone.uplink, frame))
        );
        const sent = together.bench.receiveBatch(together.uplink, frames);
        assertEquals(wires(sent).map((each) => each.toHex()), expected.map((each) => each.toHex()));
        if (sent.length < expected.length) merged++;
      },
    ),
    { numRuns: 300 },
  );
  assert(merged > 100, `only ${merged} of 300 runs merged anything`);
});

Deno.test("no frame of many segments is longer than an IP packet", () => {
  for (const family of FAMILIES) {
    const b = node(2, family);
    const changes = Array<"none">(700).fill("none");
    const frames = arrivals(family, changes).map((frame) => vnetFrame(tunnelled(frame, b, family)));
    const out = b.bench.receiveBatch(b.uplink, frames);
    assertEquals(out.length, 2);
    assertEquals(wires(out).length, 700);
  }
});

Deno.test("segments whose identification stays the same become one frame if none may be cut", () => {
  const [source, destination] = PODS[0];
  for (const [fragment, frames] of [[0x4000, 1], [0, 3]] as const) {
    const b = node(2, 4);
    const segments = [0, 1, 2].map((i) => {
      const payload = tcpSegment({
        source,
        destination,
        sourcePort: 1,
        destinationPort: 2,
        sequence: 100 * i,
        payload: dataOf(100),
      });
      const ip = { source, destination, protocol: IpProtocol.TCP, payload, id: 5, fragment };
      return ethernetFrame({
        source: "02:fe:00:00:02:01",
        destination: "02:fe:00:00:02:02",
        payload: ip4Packet(ip),
      });
    });
    const out = b.bench.receiveBatch(
      b.uplink,
      segments.map((frame) => vnetFrame(tunnelled(frame, b, 4))),
    );
    assertEquals(out.length, frames);
  }
});
