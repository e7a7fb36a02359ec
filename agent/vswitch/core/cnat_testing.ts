import { assertEquals } from "@contiv/assert";
import { IpAddress, IpPrefix, type ParsedIp, parseTransport } from "@contiv/net";
import { SnatPolicyType, SnatTable } from "./cnat/snat_policy.ts";
import { Retval } from "./retval.ts";
import { Reassembler } from "./fragment_testing.ts";
import { type Sent, TestBench } from "./testing.ts";

/** MAC addresses of pods, the host and the router. */
export const POD_MAC = "02:00:00:00:00:0a";
export const HOST_MAC = "02:00:00:00:00:0c";
export const OUT_MAC = "02:00:00:00:00:0b";
/** Addresses by family: the pod's, another pod's, the host's, somebody outside, our own. */
export const NET = {
  4: {
    pod: "10.1.0.2",
    pod2: "10.1.0.3",
    host: "172.30.1.2",
    outside: "198.51.100.7",
    own: "192.0.2.1",
  },
  6: {
    pod: "fd00:1::2",
    pod2: "fd00:1::3",
    host: "fd00:3::2",
    outside: "2001:db8:1::7",
    own: "2001:db8::1",
  },
} as const;

/** A node's data plane with cnat, and its interfaces. */
export interface CnatScene {
  readonly bench: TestBench;
  readonly pod: number;
  readonly pod2: number;
  readonly host: number;
  readonly uplink: number;
}

/** Two pods, the host and the world behind an uplink; pods' sources are translated. */
export function cnatScene(options: ConstructorParameters<typeof TestBench>[0] = {}): CnatScene {
  const bench = new TestBench(options);
  const { cnat } = bench.plane;
  const pod = bench.add("pod", "02:fe:00:00:00:01", ["10.1.0.1/32", "fd00:1::1/128"]);
  const pod2 = bench.add("pod2", "02:fe:00:00:00:02", []);
  bench.plane.setUnnumbered(pod, pod2, true);
  const host = bench.add("vpp1", "02:fe:00:00:00:03", ["172.30.1.1/24", "fd00:3::1/64"]);
  const uplink = bench.add("up", "02:fe:00:00:00:04", ["192.0.2.1/24", "2001:db8::1/64"]);
  for (const family of [4, 6] as const) {
    const net = NET[family];
    bench.neighbor(pod, net.pod, POD_MAC);
    bench.via(net.pod, pod);
    bench.neighbor(pod2, net.pod2, POD_MAC);
    bench.via(net.pod2, pod2);
    bench.neighbor(host, net.host, HOST_MAC);
    const router = family === 4 ? "192.0.2.254" : "2001:db8::fe";
    bench.neighbor(uplink, router, OUT_MAC);
    bench.via(family === 4 ? "0.0.0.0/0" : "::/0", uplink, router);
  }
  assertEquals(cnat.setPolicy(SnatPolicyType.K8S), Retval.FEATURE_DISABLED);
  cnat.setAddresses(IpAddress.parse(NET[4].own), IpAddress.parse(NET[6].own));
  assertEquals(cnat.setPolicy(SnatPolicyType.K8S), Retval.OK);
  for (const text of ["10.1.0.0/16", "172.30.0.0/16", "fd00::/16"]) {
    cnat.setExcluded(IpPrefix.parse(text), true);
  }
  for (const each of [pod, pod2, host, uplink]) cnat.enable(each, true);
  for (const each of [pod, pod2]) {
    for (const table of [SnatTable.INCLUDE_V4, SnatTable.INCLUDE_V6, SnatTable.POD]) {
      cnat.setMember(table, each, true);
    }
  }
  cnat.setMember(SnatTable.POD, host, true);
  cnat.setMember(SnatTable.HOST, host, true);
  return { bench, pod, pod2, host, uplink };
}

/** Sends packets one after the other; what left, put together as its receiver would. */
export function pass(
  { bench }: CnatScene,
  from: number,
  packets: readonly Uint8Array[],
): { readonly sent: Sent[]; readonly whole: ParsedIp[] } {
  const sent = packets.flatMap((packet) => bench.receiveIp(from, POD_MAC, packet));
  const reassembler = new Reassembler();
  const whole = sent.map(({ ip }) => reassembler.take(ip!)).filter((ip) => ip !== undefined);
  return { sent, whole };
}

/** The source port of a packet. */
export function portOf(ip: ParsedIp | undefined): number {
  return parseTransport(ip!)!.sourcePort;
}
