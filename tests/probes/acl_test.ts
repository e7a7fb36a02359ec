/** What the acl plugin matches, and how long its sessions last. Records: 0018, 0019. */
import { assertEquals, assertMatch } from "@contiv/assert";
import {
  concatBytes,
  Ip4Fragment,
  ip4Packet,
  ip6Packet,
  IpProtocol,
  type ParsedIp,
  udpDatagram,
} from "@contiv/net";
import { IpProto } from "@contiv/vppapi";
import { applyAcls, type Rule, setAcl } from "./lab/acl.ts";
import type { Lab } from "./lab/lab.ts";
import type { Pod } from "./lab/pod.ts";
import { probe } from "./lab/probe.ts";
import { SILENCE } from "./lab/streams.ts";

async function pods(lab: Lab): Promise<[Pod, Pod]> {
  const a = await lab.pod("a", ["10.1.0.2", "fd00:1::2"]);
  const b = await lab.pod("b", ["10.1.0.3", "fd00:1::3"]);
  return [a, b];
}

/** How many packets of `a` reach `b` after it sent one. */
async function arrive(a: Pod, b: Pod, packet: Uint8Array): Promise<number> {
  b.drain();
  a.send(packet);
  const own = (ip: ParsedIp): boolean => a.addresses.includes(String(ip.source));
  return (await b.receive(own, { limitMs: 200 })).length;
}

probe("rules with SCTP ports match port 0 only, which no packet has", async (lab, t) => {
  const [a, b] = await pods(lab);
  const index = await setAcl(lab.vpp, [{ action: "permit" }]);
  await applyAcls(lab.vpp, b.index, [], [index]);
  const payload = Uint8Array.of(48, 57, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 4);
  const protocol = IpProto.SCTP;
  const sctp = ip4Packet({ source: a.ip4, destination: b.ip4, protocol, payload });
  for (
    const [what, rules, wanted] of [
      ["permit port 80: denied", [{ action: "permit", protocol, port: 80 }], 0],
      ["permit every port: passes", [{ action: "permit", protocol }], 1],
      ["permit port 0: passes", [{ action: "permit", protocol, port: 0 }], 1],
      ["deny port 80, permit all: passes", [
        { action: "deny", protocol, port: 80 },
        { action: "permit" },
      ], 1],
    ] as const satisfies readonly (readonly [string, readonly Rule[], number])[]
  ) {
    await t.step(what, async () => {
      await setAcl(lab.vpp, rules, index);
      assertEquals(await arrive(a, b, sctp), wanted);
    });
  }
});

probe("later IPv4 fragments match a rule whatever its port, first ones do not", async (lab) => {
  const [a, b] = await pods(lab);
  const list = await setAcl(lab.vpp, [{ action: "permit", protocol: IpProto.UDP, port: 9 }]);
  await applyAcls(lab.vpp, b.index, [], [list]);
  const [source, destination, protocol] = [a.ip4, b.ip4, IpProto.UDP];
  const payload = new Uint8Array(2_000);
  const udp = udpDatagram({ source, destination, sourcePort: 1, destinationPort: 53, payload });
  const piece = (fragment: number, payload: Uint8Array): Uint8Array =>
    ip4Packet({ source, destination, protocol, id: 7, fragment, payload });
  assertEquals(await arrive(a, b, piece(Ip4Fragment.MORE, udp.slice(0, 1_000))), 0);
  assertEquals(await arrive(a, b, piece(125, udp.slice(1_000))), 1);
  await setAcl(lab.vpp, [{ action: "permit", protocol: IpProto.TCP, port: 9 }], list);
  assertEquals(await arrive(a, b, piece(125, udp.slice(1_000))), 0);
});

probe(
  "IPv6 extension headers are looked through, later fragments match whatever the port",
  async (lab) => {
    const [a, b] = await pods(lab);
    const rule = { action: "permit", protocol: IpProto.UDP, port: 53, ip6: true } as const;
    await applyAcls(lab.vpp, b.index, [], [await setAcl(lab.vpp, [rule])]);
    const [source, destination] = [a.ip6, b.ip6];
    const after = (nextHeader: number, header: number[], destinationPort: number): Uint8Array => {
      const udp = udpDatagram({ source, destination, sourcePort: 1, destinationPort });
      const payload = concatBytes(Uint8Array.of(IpProto.UDP, ...header), udp);
      return ip6Packet({ source, destination, nextHeader, payload });
    };
    const options = [0, 1, 4, 0, 0, 0, 0];
    for (const header of [IpProtocol.HOP_BY_HOP, IpProtocol.DESTINATION]) {
      assertEquals(await arrive(a, b, after(header, options, 53)), 1);
      assertEquals(await arrive(a, b, after(header, options, 54)), 0);
    }
    const first = [0, 0, 1, 0, 0, 0, 9];
    const later = [0, 5, 0, 0, 0, 0, 9];
    assertEquals(await arrive(a, b, after(IpProtocol.FRAGMENT, first, 53)), 1);
    assertEquals(await arrive(a, b, after(IpProtocol.FRAGMENT, first, 54)), 0);
    assertEquals(await arrive(a, b, after(IpProtocol.FRAGMENT, later, 54)), 1);
  },
);

/** Opens a TCP stream and a UDP flow from a to b under a reflecting rule, then denies all. */
async function denyUnderFlows(lab: Lab): Promise<{
  readonly tcp: () => Promise<string>;
  readonly udp: () => Promise<string>;
  readonly fresh: () => Promise<string>;
}> {
  const [a, b] = await pods(lab);
  await b.serve(80);
  b.serveUdp(b.ip4, 53);
  const list = await setAcl(lab.vpp, [{ action: "reflect" }]);
  await applyAcls(lab.vpp, b.index, [], [list]);
  const stream = await a.streams.connect(b.ip4, 80);
  const tcp = (): Promise<string> => a.streams.exchange(stream, "x", 700);
  const udp = (): Promise<string> => a.askUdp(b.ip4, 53, { from: 4444 });
  assertMatch(await tcp(), /^b /);
  assertMatch(await udp(), /^b /);
  await setAcl(lab.vpp, [{ action: "deny" }], list);
  return { tcp, udp, fresh: () => a.askUdp(b.ip4, 53) };
}

probe("by default sessions outlive the rule that allowed them", async (lab) => {
  const { tcp, udp, fresh } = await denyUnderFlows(lab);
  assertEquals(await fresh(), SILENCE);
  assertMatch(await tcp(), /^b /);
  assertMatch(await udp(), /^b /);
});

probe(
  "reclassified, sessions end with their rule, at a packet in their own direction",
  async (lab) => {
    const { tcp, udp, fresh } = await denyUnderFlows(lab);
    assertEquals(await fresh(), SILENCE);
    assertEquals(await tcp(), SILENCE);
    assertEquals(await udp(), SILENCE);
  },
  "acl-plugin { reclassify sessions 1 }",
);

probe(
  "reclassified, a stale session still lets answers pass until its opener speaks",
  async (lab) => {
    const [a, b] = await pods(lab);
    // b may speak to a by what a has opened only: its own packets are denied.
    const fromB = await setAcl(lab.vpp, [{ action: "deny" }]);
    const toB = await setAcl(lab.vpp, [{ action: "reflect" }]);
    await applyAcls(lab.vpp, b.index, [fromB], [toB]);
    const datagram = (from: Pod, to: Pod): Uint8Array => {
      const [source, destination] = [from.ip4, to.ip4];
      const payload = udpDatagram({ source, destination, sourcePort: 7, destinationPort: 7 });
      return ip4Packet({ source, destination, protocol: IpProto.UDP, payload });
    };
    assertEquals(await arrive(b, a, datagram(b, a)), 0);
    assertEquals(await arrive(a, b, datagram(a, b)), 1);
    assertEquals(await arrive(b, a, datagram(b, a)), 1);
    await setAcl(lab.vpp, [{ action: "deny" }], toB);
    assertEquals(await arrive(b, a, datagram(b, a)), 1);
    assertEquals(await arrive(a, b, datagram(a, b)), 0);
    assertEquals(await arrive(b, a, datagram(b, a)), 0);
  },
  "acl-plugin { reclassify sessions 1 }",
);

probe("a list may be replaced while applied, not deleted", async (lab) => {
  const [, b] = await pods(lab);
  const list = await setAcl(lab.vpp, [{ action: "permit" }]);
  await applyAcls(lab.vpp, b.index, [list], [list]);
  assertEquals(await setAcl(lab.vpp, [{ action: "deny" }], list), list);
  const { retval } = await lab.vpp.requestRaw("acl_del", { acl_index: list });
  assertEquals(retval, -142); // ACL_IN_USE_INBOUND
  await applyAcls(lab.vpp, b.index, [], []);
  await lab.vpp.request("acl_del", { acl_index: list });
});
