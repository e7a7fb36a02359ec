import { assertEquals } from "@contiv/assert";
import { IpAddress, MacAddress } from "@contiv/net";
import { MacFlag } from "./l2/bridge_domain.ts";
import { Retval } from "./retval.ts";
import { TestBench } from "./testing.ts";
import type { DataplaneOptions } from "./types.ts";

/** The MAC address of a pod. */
export const POD_MAC = "02:00:00:00:00:0a";
export const VNI = 10;

/** A node's data plane and its interfaces. */
export interface Node {
  readonly bench: TestBench;
  readonly pod: number;
  readonly uplink: number;
  readonly bvi: number;
  readonly tunnel: number;
}

/** What a node is to be other than usual. */
export interface NodeOptions extends Pick<DataplaneOptions, "maxNeighbors"> {
  /** Whether the uplink takes frames of many UDP datagrams. @default true */
  readonly segmentsUdp?: boolean;
}

const MTU = 1500;

/** One of two nodes that are joined by a tunnel; `n` is 1 or 2. Its pod is 10.`n`.0.2. */
export function node(n: number, family: 4 | 6, options: NodeOptions = {}): Node {
  const { segmentsUdp = true, ...bounds } = options;
  const peer = 3 - n;
  const underlay = (i: number): string => family === 4 ? `192.0.2.${i}` : `2001:db8::${i}`;
  const overhead = family === 4 ? 50 : 70;
  const bench = new TestBench(bounds);
  const { plane } = bench;
  const pod = bench.add("pod", "02:fe:00:00:00:01", [`10.${n}.0.1/24`, `fd00:${n}::1/64`]);
  bench.neighbor(pod, `10.${n}.0.2`, POD_MAC);
  bench.neighbor(pod, `fd00:${n}::2`, POD_MAC);
  const mac = (i: number): string => `02:fe:00:00:01:0${i}`;
  const uplink = bench.add(
    "up",
    mac(n),
    [
      family === 4 ? `${underlay(n)}/24` : `${underlay(n)}/64`,
    ],
    "memory",
    segmentsUdp,
  );
  plane.setMtu(uplink, [MTU, 0, 0, 0]);
  bench.neighbor(uplink, underlay(peer), mac(peer));
  const bviMac = (i: number): string => `02:fe:00:00:02:0${i}`;
  const bvi = bench.add("loop1", bviMac(n), [`10.255.0.${n}/24`, `fd00:ff::${n}/64`], "loopback");
  plane.setMtu(bvi, [MTU - overhead, 0, 0, 0]);
  plane.bridging.add(1, {
    tag: "",
    forward: true,
    flood: false,
    learn: false,
    terminateArp: false,
  });
  assertEquals(plane.bridging.join(bvi, 1, true, 0), Retval.OK);
  const added = plane.tunnels.add(
    {
      source: IpAddress.parse(underlay(n)),
      destination: IpAddress.parse(underlay(peer)),
      sourcePort: 0,
      destinationPort: 0,
      vni: VNI,
      tableId: 0,
    },
    undefined,
    MacAddress.parse("02:fe:00:00:03:00"),
  );
  assertEquals(added.retval, Retval.OK);
  const tunnel = added.swIfIndex;
  plane.bridging.join(tunnel, 1, false, 1);
  const flags = MacFlag.STATIC;
  plane.bridging.addMac(1, MacAddress.parse(bviMac(peer)), tunnel, flags);
  for (const hop of [`10.255.0.${peer}`, `fd00:ff::${peer}`]) {
    bench.neighbor(bvi, hop, bviMac(peer));
  }
  bench.via(`10.${peer}.0.0/24`, bvi, `10.255.0.${peer}`);
  bench.via(`fd00:${peer}::/64`, bvi, `fd00:ff::${peer}`);
  return { bench, pod, uplink, bvi, tunnel };
}
