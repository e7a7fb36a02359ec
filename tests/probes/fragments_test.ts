/** Fragments and IPv6 extension headers through cnat. Record: 0017. */
import { assertEquals, assertMatch } from "@contiv/assert";
import { concatBytes, ip6Packet, IpProtocol, udpDatagram } from "@contiv/net";
import { CnatSnatPolicyTable } from "@contiv/vppapi";
import { inTable, setKubernetesSnat, setService } from "./lab/cnat.ts";
import type { Lab } from "./lab/lab.ts";
import type { Pod } from "./lab/pod.ts";
import { probe } from "./lab/probe.ts";
import { SILENCE } from "./lab/streams.ts";

/** More than one MTU holds. */
const BIG = { text: "x".repeat(2_500) };

interface Net {
  readonly a: Pod;
  readonly b: Pod;
  readonly outside: Pod;
}

async function net(lab: Lab): Promise<Net> {
  const a = await lab.pod("a", ["10.1.0.2", "fd00:1::2"]);
  const b = await lab.pod("b", ["10.1.0.3", "fd00:1::3"]);
  const outside = await lab.pod("outside", ["198.51.100.7", "2001:db8:1::7"]);
  for (const pod of [b, outside]) for (const own of pod.addresses) pod.serveUdp(own, 53);
  const protocol = IpProtocol.UDP;
  await setService(lab.vpp, { vip: "10.96.0.1|53", backends: ["10.1.0.3|53"], protocol });
  await setService(lab.vpp, { vip: "fd00:96::1|53", backends: ["fd00:1::3|53"], protocol });
  await setKubernetesSnat(lab.vpp, "192.0.2.1", "2001:db8::1", ["10.1.0.0/16", "fd00::/16"]);
  const { POD, INCLUDE_V4, INCLUDE_V6 } = CnatSnatPolicyTable;
  for (const table of [POD, INCLUDE_V4, INCLUDE_V6]) {
    for (const { index } of [a, b]) await inTable(lab.vpp, index, table);
  }
  return { a, b, outside };
}

/** The features of an interface on one path, in their order. */
async function features(lab: Lab, pod: Pod, arc: string): Promise<string[]> {
  const text = await lab.cli(`show interface host-v-${pod.name} features`);
  const part = text.split(`\n${arc}:\n`)[1]?.split("\n\n")[0] ?? "";
  return [...new Set(part.split("\n").map((line) => line.trim()))];
}

probe("a fragmented datagram reaches a pod, but not a service", async (lab) => {
  const { a, b } = await net(lab);
  assertMatch(await a.askUdp(b.ip4, 53, BIG), /^b /);
  assertMatch(await a.askUdp(b.ip6, 53, BIG), /^b /);
  assertEquals(await a.askUdp("10.96.0.1", 53, BIG), SILENCE);
  assertEquals(await a.askUdp("fd00:96::1", 53, BIG), SILENCE);
});

probe(
  "of a datagram to a service's IPv4 address only the first fragment is translated",
  async (lab) => {
    const { a } = await net(lab);
    const paths = await lab.trace(() => a.askUdp("10.96.0.1", 53, BIG));
    assertEquals(paths.slice(0, 2).map((nodes) => nodes.at(-1)), ["host-v-b-tx", "drop"]);
  },
);

probe("source translation writes ports into the data of IPv4's later fragments", async (lab) => {
  const { a, outside } = await net(lab);
  assertMatch(await a.askUdp(outside.ip4, 53), /^outside 192\.0\.2\.1 /);
  outside.drain();
  assertEquals(await a.askUdp(outside.ip4, 53, BIG), SILENCE);
  const udp = await outside.receive((ip) => ip.protocol === IpProtocol.UDP, { count: 2 });
  assertEquals(udp.map((ip) => String(ip.source)), ["192.0.2.1", "192.0.2.1"]);
  const data = new TextDecoder().decode(udp[1]?.payload.subarray(0, 12));
  assertEquals(data.slice(2, 6) + data.slice(8), "x".repeat(8));
  assertEquals(data === "x".repeat(12), false);
});

probe("source translation leaves IPv6 fragments alone: the pod's address gets out", async (lab) => {
  const { a, outside } = await net(lab);
  assertMatch(await a.askUdp(outside.ip6, 53), /^outside 2001:db8::1 /);
  assertMatch(await a.askUdp(outside.ip6, 53, BIG), /^outside fd00:1::2 /);
});

probe("an IPv6 extension header hides a datagram from cnat", async (lab) => {
  const { a, b } = await net(lab);
  const send = async (destination: string): Promise<number> => {
    const source = a.ip6;
    const options = Uint8Array.of(IpProtocol.UDP, 0, 1, 4, 0, 0, 0, 0);
    const udp = udpDatagram({ source, destination, sourcePort: 5555, destinationPort: 53 });
    const nextHeader = IpProtocol.DESTINATION;
    b.drain();
    a.send(ip6Packet({ source, destination, nextHeader, payload: concatBytes(options, udp) }));
    return (await b.receive((ip) => ip.protocol === nextHeader)).length;
  };
  assertEquals(await send(b.ip6), 1);
  assertEquals(await send("fd00:96::1"), 0);
});

probe("full reassembly comes after cnat and acl, and so is no help", async (lab, t) => {
  const { a, b } = await net(lab);
  for (const version of ["ip4", "ip6"]) {
    const feature_name = `${version}-full-reassembly-feature`;
    await lab.vpp.request("feature_enable_disable", {
      sw_if_index: a.index,
      enable: true,
      arc_name: `${version}-unicast`,
      feature_name,
    });
    assertEquals(await features(lab, a, `${version}-unicast`), [
      `cnat-lookup-${version}`,
      `cnat-input-${version}`,
      feature_name,
    ]);
  }
  await t.step("IPv4: services stay out of reach", async () => {
    assertMatch(await a.askUdp(b.ip4, 53, BIG), /^b /);
    assertEquals(await a.askUdp("10.96.0.1", 53, BIG), SILENCE);
  });
  await t.step("IPv6: even pods fall out of reach: VPP must not fragment again", async () => {
    assertEquals(await a.askUdp(b.ip6, 53, BIG), "EMSGSIZE");
    assertEquals(await a.askUdp("fd00:96::1", 53, BIG), SILENCE);
  });
});
