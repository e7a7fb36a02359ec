import { assert, assertEquals } from "@contiv/assert";
import {
  arpPacket,
  echoPacket,
  ethernetFrame,
  EtherType,
  ip4Packet,
  ip6Packet,
  IpAddress,
  IpProtocol,
  MacAddress,
  neighborPacket,
  tcpSegment,
  udpDatagram,
  vnetFrame,
} from "@contiv/net";
import { IpPrefix } from "@contiv/net";
import { Dataplane } from "./dataplane.ts";
import { routeChange } from "./testing.ts";
import { PathType } from "./types.ts";

const MAC = "02:fe:00:00:00:01";
const PEER = "02:00:00:00:00:02";

/** A generator that repeats for a seed (mulberry32). */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Well-formed frames of every kind that a node looks into. */
function seeds(): Uint8Array[] {
  const four = { source: "10.1.1.2", destination: "10.1.1.1" };
  const away = { source: "10.1.1.2", destination: "10.1.2.2" };
  const six = { source: "fd00:1::2", destination: "fd00:1::1" };
  const sixAway = { source: "fd00:1::2", destination: "fd00:2::2" };
  const ports = { sourcePort: 1, destinationPort: 2 };
  const payload = new Uint8Array(40);
  const packets = [
    echoPacket({ ...four, payload }),
    echoPacket({ ...four, payload, fragment: 0x2000 }),
    echoPacket({ ...six, payload }),
    ip4Packet({ ...four, protocol: 17, payload: udpDatagram({ ...four, ...ports }) }),
    ip4Packet({ ...away, protocol: 6, payload: tcpSegment({ ...away, ...ports, payload }) }),
    ip4Packet({ ...away, protocol: 17, payload: new Uint8Array(1400), ttl: 1 }),
    ip4Packet({ ...away, protocol: 17, payload: new Uint8Array(1400) }),
    ip4Packet({ ...away, destination: "10.9.0.1", protocol: 1, payload }),
    ip4Packet({ ...away, destination: "10.1.2.77", protocol: 17, payload }),
    ip4Packet({ ...four, destination: "224.0.0.1", protocol: 2, payload }),
    ip6Packet({ ...six, nextHeader: 17, payload: udpDatagram({ ...six, ...ports }) }),
    ip6Packet({ ...sixAway, nextHeader: 6, payload: tcpSegment({ ...sixAway, ...ports }) }),
    ip6Packet({ ...sixAway, nextHeader: 17, payload: new Uint8Array(1400) }),
    ip6Packet({ ...sixAway, nextHeader: 0, payload: new Uint8Array(64), hopLimit: 1 }),
    ip6Packet({
      ...six,
      nextHeader: IpProtocol.FRAGMENT,
      payload: Uint8Array.of(58, 0, 0, 1, 0, 0, 0, 1, ...payload),
    }),
    ip6Packet({ ...sixAway, destination: "fe80::9", nextHeader: 59, payload }),
    neighborPacket({ type: "solicitation", ...six, target: "fd00:1::1", mac: PEER }),
    neighborPacket({ type: "advertisement", ...six, target: "fd00:1::2", mac: PEER }),
  ];
  const frame = (destination: string, payload: Uint8Array, etherType?: number): Uint8Array =>
    ethernetFrame({
      source: PEER,
      destination,
      payload,
      ...(etherType === undefined ? {} : { etherType }),
    });
  const arp = arpPacket({ senderMac: PEER, senderIp: "10.1.1.2", targetIp: "10.1.1.1" });
  const all = [...packets.map((packet) => frame(MAC, packet)), frame(MAC, arp, EtherType.ARP)];
  const offload = { flags: 1, gsoType: 1, gsoSize: 500, csumStart: 34, csumOffset: 16 };
  return all.flatMap((one) => [vnetFrame(one), vnetFrame(one, offload)]);
}

Deno.test("no frame makes it throw, emit beyond its buffer, or grow without end", () => {
  const random = randomOf(20_260_601);
  const guard = new Uint8Array(64).fill(0xa5);
  const input = new Uint8Array(4096);
  let emitted = 0;
  const plane = new Dataplane({
    maxNeighbors: 100,
    maxTraceRecords: 50,
    emit: (swIfIndex, buffer, offset, length) => {
      emitted++;
      assert(plane.interface(swIfIndex) !== undefined);
      assert(length >= 24 && offset >= 0 && offset + length <= buffer.length);
      if (buffer === input) assert(offset >= 64 && offset + length <= 64 + limit);
    },
  });
  let limit = 0;
  const ports = ["10.1.1.1/24 fd00:1::1/64", "10.1.2.1/24 fd00:2::1/64"].map((addresses, i) => {
    const swIfIndex = plane.createInterface({
      kind: "memory",
      name: `mem${i}`,
      mac: MacAddress.parse(MAC),
    });
    plane.setFlags(swIfIndex, true);
    for (const text of addresses.split(" ")) {
      plane.addDelAddress(swIfIndex, true, false, IpPrefix.parse(text));
    }
    return swIfIndex;
  }) as [number, number];
  plane.setMtu(ports[1], [1300, 0, 0, 0]);
  for (const address of ["10.1.2.2", "fd00:2::2"]) {
    plane.addDelNeighbor({
      swIfIndex: ports[1],
      address: IpAddress.parse(address),
      mac: MacAddress.parse(PEER),
      isStatic: true,
      noFibEntry: false,
    }, true);
  }
  plane.addDelRoute(routeChange("10.9.0.0/16", [{ type: PathType.ICMP_UNREACH }]));
  plane.armTrace(1000);

  const frames = seeds();
  for (let round = 0; round < 40_000; round++) {
    const frame = frames[random(frames.length)]!.slice();
    for (let i = random(4); i > 0; i--) frame[random(frame.length)] = random(256);
    // Past the Ethernet header, a right checksum now and then lets a mutation through.
    if (random(4) === 0 && frame[24] === 0x45) fixChecksum(frame);
    const length = random(8) === 0 ? random(frame.length + 1) : frame.length;
    input.set(guard, 0);
    input.set(frame.subarray(0, length), 64);
    input.set(guard, 64 + length);
    limit = length;
    plane.process(input, 64, length, ports[random(2)]!, round / 8);
    assertEquals(input.subarray(0, 64).every((byte) => byte === 0xa5), true);
    assertEquals(input.subarray(64 + length, 128 + length).every((byte) => byte === 0xa5), true);
    if (round % 100 === 0) plane.tick(round / 8);
  }
  assert(emitted > 1000, `only ${emitted} frames left`);
  assert([...plane.neighbors(4)].length + [...plane.neighbors(6)].length <= 200);
  assert(plane.showTrace(1000).split("\nPacket ").length <= 51);
});

Deno.test("lengths and indices out of range are refused", () => {
  const plane = new Dataplane({ emit: () => assert(false) });
  const buffer = new Uint8Array(100);
  for (const [offset, length, swIfIndex] of [[0, 5, 0], [90, 50, 0], [-1, 50, 0], [0, 60, 9]]) {
    plane.process(buffer, offset!, length!, swIfIndex!, 0);
  }
});

function fixChecksum(frame: Uint8Array): void {
  frame[34] = 0;
  frame[35] = 0;
  let sum = 0;
  for (let i = 24; i < 44; i += 2) sum += (frame[i] ?? 0) << 8 | (frame[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  frame[34] = ~sum >>> 8 & 0xff;
  frame[35] = ~sum & 0xff;
}
