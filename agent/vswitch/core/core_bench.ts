/**
 * Nanoseconds per packet through `process`, without IO.
 *
 * deno bench agent/vswitch/core/core_bench.ts
 */
import {
  ethernetFrame,
  ip4Packet,
  ip6Packet,
  IpAddress,
  IpProtocol,
  MacAddress,
  tcpSegment,
  udpDatagram,
  vnetFrame,
  VnetGso,
} from "@contiv/net";
import { Dataplane } from "./dataplane.ts";
import { routeChange } from "./testing.ts";

const GATEWAY_MAC = "02:00:00:00:00:01";
const POD_MAC = "02:00:00:00:00:02";
/** Packets per measured call; the figure shown is for all of them. */
const PACKETS = 1000;

interface Rig {
  readonly plane: Dataplane;
  readonly buffer: Uint8Array;
  readonly starts: number[];
  readonly length: number;
  readonly rx: number;
}

function rig(family: 4 | 6, routes: number, payload: number): Rig {
  const plane = new Dataplane({ emit: () => {} });
  const mac = MacAddress.parse(GATEWAY_MAC);
  const [rx, tx] = ["tap0", "tap1"].map((name) => {
    const swIfIndex = plane.createInterface({ kind: "tap", name, mac });
    plane.setFlags(swIfIndex, true);
    plane.ip6EnableDisable(swIfIndex, true);
    return swIfIndex;
  }) as [number, number];
  const loop = plane.createInterface({ kind: "loopback", name: "loop0", mac });
  plane.setUnnumbered(loop, rx, true);
  const address = (i: number): IpAddress =>
    family === 4
      ? IpAddress.fromBigInt(4, 0x0a000000n + BigInt(i) * 7n)
      : IpAddress.parse("fd00::").add(BigInt(i) * 7n);
  const nextHop = IpAddress.parse(family === 4 ? "192.0.2.9" : "fd99::9");
  plane.addDelNeighbor({
    swIfIndex: tx,
    address: nextHop,
    mac: MacAddress.parse(POD_MAC),
    isStatic: true,
    noFibEntry: true,
  }, true);
  for (let i = 0; i < routes; i++) {
    const host = `${address(i)}/${family === 4 ? 32 : 128}`;
    plane.addDelRoute(routeChange(host, [{ swIfIndex: tx, nextHop }]));
  }
  const source = IpAddress.parse(family === 4 ? "172.16.0.1" : "fd77::1");
  const frames = Array.from({ length: 512 }, (_, i) => {
    const destination = address((i * 7919) % routes);
    const ends = { source, destination, sourcePort: 1, destinationPort: 2 };
    const bytes = new Uint8Array(payload);
    const transport = payload > 1500
      ? tcpSegment({ ...ends, payload: bytes, checksum: "partial" })
      : udpDatagram({ ...ends, payload: bytes });
    const protocol = payload > 1500 ? IpProtocol.TCP : IpProtocol.UDP;
    const packet = family === 4
      ? ip4Packet({ source, destination, protocol, payload: transport, ttl: 255 })
      : ip6Packet({ source, destination, nextHeader: protocol, payload: transport, hopLimit: 255 });
    const frame = ethernetFrame({ source: POD_MAC, destination: mac, payload: packet });
    const gso = {
      flags: 1,
      gsoType: VnetGso.TCPV4,
      gsoSize: 1400,
      hdrLen: 54,
      csumStart: 34,
      csumOffset: 16,
    };
    return vnetFrame(frame, payload > 1500 ? gso : {});
  });
  const length = frames[0]!.length;
  const stride = (length + 63) & ~63;
  const buffer = new Uint8Array(stride * frames.length);
  frames.forEach((frame, i) => buffer.set(frame, i * stride));
  return { plane, buffer, starts: frames.map((_, i) => i * stride), length, rx };
}

/** Sends many packets, each put back as it was before: its header and its TTL. */
function run({ plane, buffer, starts, length, rx }: Rig, saved: Uint8Array): void {
  for (let i = 0; i < PACKETS; i++) {
    const at = starts[i & 511]!;
    plane.process(buffer, at, length, rx, 1);
    const header = (i & 511) * 40;
    for (let j = 0; j < 40; j++) buffer[at + 10 + j] = saved[header + j]!;
  }
}

function headers({ buffer, starts }: Rig): Uint8Array {
  const saved = new Uint8Array(starts.length * 40);
  starts.forEach((at, i) => saved.set(buffer.subarray(at + 10, at + 50), i * 40));
  return saved;
}

for (const family of [4, 6] as const) {
  for (const routes of [1, 100, 10_000, 100_000]) {
    const bench = rig(family, routes, 18);
    const saved = headers(bench);
    Deno.bench(
      { name: `IPv${family}, ${routes} routes, 1000 packets`, group: `IPv${family}` },
      () => run(bench, saved),
    );
  }
}
const gso = rig(4, 100, 60_000);
const gsoSaved = headers(gso);
Deno.bench({ name: "IPv4, 60 KB segmentation frames, 1000 frames", group: "gso" }, () => {
  run(gso, gsoSaved);
});
