import { assert, assertEquals } from "@contiv/assert";
import {
  concatBytes,
  ethernetFrame,
  Icmp4Type,
  Icmp6Type,
  ip4Packet,
  ip6Packet,
  IpAddress,
  IpProtocol,
  MacAddress,
  type ParsedIp,
  parseEthernet,
  parseIcmp,
  parseIp,
  parseTransport,
  udpDatagram,
  VNET_HEADER_LENGTH,
} from "@contiv/net";
import { internetChecksum } from "@contiv/net";
import { MacFlag } from "./l2/bridge_domain.ts";
import { Retval } from "./retval.ts";
import type { Sent } from "./testing.ts";
import { type Node, node, POD_MAC, VNI } from "./overlay_testing.ts";
import { onWire } from "./wire_testing.ts";
import { NONE } from "./types.ts";

/** Carries frames that left by one node's uplink into the other's. */
function carry(sent: readonly Sent[], to: Node): Sent[] {
  return sent.flatMap(({ bytes }) => to.bench.receiveVnet(to.uplink, bytes));
}

function innerOf(sent: Sent): { outer: ParsedIp; inner: ParsedIp; port: number } {
  const outer = parseIp(parseEthernet(onWire(sent.bytes)[0]!)!.payload)!;
  const udp = parseTransport(outer)!;
  assertEquals(udp.payload.subarray(0, 8).toHex(), "0800000000000a00");
  const inner = parseIp(parseEthernet(udp.payload.subarray(8))!.payload)!;
  return { outer, inner, port: udp.destinationPort };
}

function udp(source: string, destination: string, size: number, fragment = 0): Uint8Array {
  const ends = { source, destination };
  const payload = udpDatagram({
    ...ends,
    sourcePort: 1000,
    destinationPort: 2000,
    payload: new Uint8Array(size).fill(7),
  });
  return source.includes(":")
    ? ip6Packet({ ...ends, nextHeader: IpProtocol.UDP, payload })
    : ip4Packet({ ...ends, protocol: IpProtocol.UDP, payload, fragment });
}

const PODS = [["10.1.0.2", "10.2.0.2"], ["fd00:1::2", "fd00:2::2"]] as const;

for (const family of [4, 6] as const) {
  Deno.test(`a packet crosses an IPv${family} underlay and is whole at the other end`, async (t) => {
    for (const [source, destination] of PODS) {
      await t.step(`${source} to ${destination}`, () => {
        const [a, b] = [node(1, family), node(2, family)];
        const sent = a.bench.receiveIp(a.pod, POD_MAC, udp(source, destination, 100));
        assertEquals(sent.map(({ swIfIndex }) => swIfIndex), [a.uplink]);
        const { outer, inner, port } = innerOf(sent[0]!);
        assertEquals([outer.source.family, outer.ttl, port], [
          family,
          family === 4 ? 253 : 254,
          4789,
        ]);
        assert(outer.checksumOk);
        assertEquals(parseTransport(outer)?.checksumOk, true);
        assertEquals(inner.ttl, 63);
        const [out, ...more] = carry(sent, b);
        assertEquals(more.length, 0);
        assertEquals(out?.swIfIndex, b.pod);
        assertEquals([String(out?.ip?.source), out?.ip?.ttl], [source, 62]);
        assert(parseTransport(out!.ip!)?.checksumOk);
        assertEquals(a.bench.plane.interface(a.tunnel)?.counters.txPackets, 1);
        assertEquals(b.bench.plane.interface(b.tunnel)?.counters.rxPackets, 1);
        assertEquals(b.bench.plane.interface(b.bvi)?.counters.rxPackets, 1);
      });
    }
  });

  Deno.test(`what is too big for an IPv${family} tunnel is cut, or its sender is told how big is not`, () => {
    const [a, b] = [node(1, family), node(2, family)];
    const mtu = family === 4 ? 1450 : 1430;
    const fits = a.bench.receiveIp(a.pod, POD_MAC, udp(...PODS[0], mtu - 28, 0x4000));
    assertEquals(fits.map(({ swIfIndex }) => swIfIndex), [a.uplink]);
    assertEquals(fits[0]!.ethernet.payload.length, 1500);

    const [told] = a.bench.receiveIp(a.pod, POD_MAC, udp(...PODS[0], mtu - 27, 0x4000));
    assertEquals(told?.swIfIndex, a.pod);
    const icmp = parseIcmp(told!.ip!)!;
    assertEquals([icmp.type, icmp.code], [Icmp4Type.UNREACHABLE, 4]);
    assertEquals(
      told!.ip!.payload.subarray(4, 8).toHex(),
      `0000${mtu.toString(16).padStart(4, "0")}`,
    );
    a.bench.nowMs += 1000;
    const [told6] = a.bench.receiveIp(a.pod, POD_MAC, udp(...PODS[1], mtu - 47));
    assertEquals(parseIcmp(told6!.ip!)!.type, Icmp6Type.TOO_BIG);

    const cut = a.bench.receiveIp(a.pod, POD_MAC, udp(...PODS[0], 3000));
    assertEquals(cut.length, 3);
    const out = carry(cut, b);
    assertEquals(out.map(({ swIfIndex }) => swIfIndex), [b.pod, b.pod, b.pod]);
    assertEquals(out.reduce((sum, { ip }) => sum + ip!.payload.length, 0), 3008);
  });
}

Deno.test("what a tunnel's other end did not send is dropped", () => {
  const [a, b] = [node(1, 4), node(2, 4)];
  const [frame] = a.bench.receiveIp(a.pod, POD_MAC, udp(...PODS[0], 10));
  const changed = (at: number, byte: number): Uint8Array => {
    const bytes = frame!.bytes.slice();
    bytes[VNET_HEADER_LENGTH + 14 + at] = byte;
    if (at < 20) {
      const header = bytes.subarray(VNET_HEADER_LENGTH + 14, VNET_HEADER_LENGTH + 34);
      header.fill(0, 10, 12);
      new DataView(header.buffer, header.byteOffset).setUint16(10, internetChecksum(header, 0, 20));
    }
    return bytes;
  };
  const { bench, uplink } = b;
  assertEquals(bench.receiveVnet(uplink, changed(34, 11)), []);
  assertEquals(bench.count("vxlan4-input: no such tunnel packets"), 1);
  assertEquals(bench.receiveVnet(uplink, changed(15, 77)), []);
  assertEquals(bench.count("vxlan4-input: no such tunnel packets"), 2);
  assertEquals(bench.receiveVnet(uplink, changed(28, 0)), []);
  assertEquals(bench.count("vxlan4-input: packets with bad flags field in vxlan header"), 1);
  assertEquals(bench.receiveVnet(uplink, changed(36 + 5, 0x99)), []);
  assertEquals(bench.count("l2-fwd: L2 forward misses"), 1);
});

Deno.test("what comes by one tunnel leaves by no other of its group on layer 2, but on layer 3", () => {
  const a = node(1, 4);
  const { bench } = a;
  const { plane } = bench;
  const third = plane.tunnels.add(
    {
      source: IpAddress.parse("192.0.2.1"),
      destination: IpAddress.parse("192.0.2.3"),
      sourcePort: 4789,
      destinationPort: 4789,
      vni: VNI,
      tableId: 0,
    },
    undefined,
    MacAddress.parse("02:fe:00:00:03:01"),
  );
  bench.neighbor(a.uplink, "192.0.2.3", "02:fe:00:00:01:03");
  plane.bridging.join(third.swIfIndex, 1, false, 1);
  const mac = MacAddress.parse("02:fe:00:00:02:03");
  plane.bridging.addMac(1, mac, third.swIfIndex, MacFlag.STATIC);
  const arrive = (destination: string, payload: Uint8Array): Sent[] => {
    const inner = ethernetFrame({ source: "02:fe:00:00:02:02", destination, payload });
    const ends = { source: "192.0.2.2", destination: "192.0.2.1" };
    const datagram = udpDatagram({
      ...ends,
      sourcePort: 50_000,
      destinationPort: 4789,
      payload: concatBytes(Uint8Array.of(8, 0, 0, 0, 0, 0, VNI, 0), inner),
    });
    const outer = ip4Packet({ ...ends, protocol: IpProtocol.UDP, payload: datagram });
    return bench.receiveIp(a.uplink, "02:fe:00:00:01:02", outer);
  };
  const packet = udp("10.2.0.2", "10.3.0.2", 10);
  assertEquals(arrive(String(mac), packet), []);
  assertEquals(bench.count("l2-output: L2 split horizon drops"), 1);
  bench.neighbor(a.bvi, "10.255.0.3", String(mac));
  bench.via("10.3.0.0/24", a.bvi, "10.255.0.3");
  const [out] = arrive("02:fe:00:00:02:01", packet);
  assertEquals(String(out?.ip?.destination), "192.0.2.3");
});

Deno.test("a tunnel whose end lies behind itself does not go round in circles", () => {
  const a = node(1, 4);
  a.bench.via("192.0.2.2", a.bvi, "10.255.0.2");
  assertEquals(a.bench.receiveIp(a.pod, POD_MAC, udp(...PODS[0], 10)), []);
  assertEquals(a.bench.count("vxlan4-encap: packets that no tunnel carries"), 1);
});

Deno.test("a tunnel follows its end's route and is gone when it is deleted", () => {
  const a = node(1, 4);
  const { bench } = a;
  const { plane } = bench;
  const other = bench.add("up2", "02:fe:00:00:01:09", ["198.51.100.1/24"]);
  bench.neighbor(other, "198.51.100.2", "02:fe:00:00:01:0a");
  bench.via("192.0.2.2", other, "198.51.100.2");
  const [moved] = bench.receiveIp(a.pod, POD_MAC, udp(...PODS[0], 10));
  assertEquals(moved?.swIfIndex, other);
  const key = {
    source: IpAddress.parse("192.0.2.1"),
    destination: IpAddress.parse("192.0.2.2"),
    sourcePort: 0,
    destinationPort: 0,
    vni: VNI,
    tableId: 0,
  };
  assertEquals(plane.tunnels.delete(key).swIfIndex, a.tunnel);
  assertEquals(plane.tunnels.delete(key), { retval: Retval.NO_SUCH_ENTRY, swIfIndex: NONE });
  assertEquals(bench.receiveIp(a.pod, POD_MAC, udp(...PODS[0], 10)), []);
  assertEquals(
    bench.count("l2-output-bad-intf: L2 output to interface not in L2 mode or deleted"),
    1,
  );
});
