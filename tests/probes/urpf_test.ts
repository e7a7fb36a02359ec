/** Which sources strict uRPF lets a pod use. Record: 0020. */
import { assertEquals, assertMatch } from "@contiv/assert";
import {
  ip4Packet,
  ip6Packet,
  IpProtocol,
  neighborPacket,
  solicitedNodeAddress,
  udpDatagram,
} from "@contiv/net";
import { UrpfMode } from "@contiv/vppapi";
import { NONE } from "../conformance/values.ts";
import { setService } from "./lab/cnat.ts";
import { GATEWAY, type Lab } from "./lab/lab.ts";
import type { Pod } from "./lab/pod.ts";
import { probe } from "./lab/probe.ts";

async function guard(lab: Lab, pod: Pod): Promise<void> {
  for (const af of [0, 1]) {
    await lab.vpp.request("urpf_update_v2", {
      is_input: true,
      mode: UrpfMode.STRICT,
      af,
      sw_if_index: pod.index,
      table_id: NONE,
    });
  }
}

/** Whether a datagram with this source gets from one pod to the other. */
async function passes(from: Pod, to: Pod, source: string): Promise<boolean> {
  const is6 = source.includes(":");
  const destination = is6 ? to.ip6 : to.ip4;
  const payload = udpDatagram({ source, destination, sourcePort: 1, destinationPort: 2 });
  to.drain();
  from.send(
    is6
      ? ip6Packet({ source, destination, nextHeader: IpProtocol.UDP, payload })
      : ip4Packet({ source, destination, protocol: IpProtocol.UDP, payload }),
  );
  const mine = await to.receive((ip) => String(ip.source) === source, { limitMs: 300 });
  return mine.length === 1;
}

const SPOOFED = {
  "another pod": ["10.1.0.3", "fd00:1::3"],
  "the gateway": [GATEWAY.ip4, GATEWAY.ip6],
  "nobody": ["10.9.9.9", "fd00:9::9"],
  "a service": ["10.96.0.1", "fd00:96::1"],
  "this host": ["0.0.0.0", "::"],
  "loopback": ["127.0.0.1", "::1"],
  "link-local": ["169.254.1.1", "fe80::1"],
} as const;

async function net(lab: Lab): Promise<[Pod, Pod]> {
  const a = await lab.pod("a", ["10.1.0.2", "fd00:1::2"]);
  const b = await lab.pod("b", ["10.1.0.3", "fd00:1::3"]);
  await b.serve(80);
  await setService(lab.vpp, { vip: "10.96.0.1|80", backends: ["10.1.0.3|80"], isRealIp: 1 });
  await setService(lab.vpp, { vip: "fd00:96::1|80", backends: ["fd00:1::3|80"], isRealIp: 0 });
  return [a, b];
}

probe("without uRPF a pod may use any source, even loopback's", async (lab) => {
  const [a, b] = await net(lab);
  for (const source of Object.values(SPOOFED).flat()) {
    assertEquals(await passes(a, b, source), true, source);
  }
});

probe("strict uRPF lets only a pod's own addresses pass, of both families", async (lab, t) => {
  const [a, b] = await net(lab);
  await guard(lab, a);
  await t.step("its own, to pods and services", async () => {
    assertEquals([await passes(a, b, a.ip4), await passes(a, b, a.ip6)], [true, true]);
    assertMatch(await a.streams.once(b.ip4, 80), /^b /);
    assertMatch(await a.streams.once("10.96.0.1", 80), /^b /);
    assertMatch(await a.streams.once("fd00:96::1", 80), /^b /);
  });
  for (const [whose, sources] of Object.entries(SPOOFED)) {
    await t.step(`${whose}: none`, async () => {
      for (const source of sources) assertEquals(await passes(a, b, source), false, source);
    });
  }
});

probe(
  "strict uRPF and neighbour discovery: multicast passes, unicast link-local does not",
  async (lab) => {
    const [a] = await net(lab);
    await guard(lab, a);
    const linkLocal = "fe80::ff:fe00:100"; // of eth0's MAC address
    const answered = async (source: string, destination: string): Promise<boolean> => {
      const target = GATEWAY.ip6;
      a.drain();
      const { mac } = a.place;
      a.send(neighborPacket({ type: "solicitation", source, destination, target, mac }));
      const advertised = await a.receive(
        (ip) => ip.protocol === IpProtocol.ICMP6 && ip.payload[0] === 136,
        { limitMs: 200 },
      );
      return advertised.length === 1;
    };
    const group = String(solicitedNodeAddress(GATEWAY.ip6));
    assertEquals(await answered(linkLocal, group), true);
    assertEquals(await answered(a.ip6, group), true);
    assertEquals(await answered(a.ip6, GATEWAY.ip6), true);
    assertEquals(await answered(linkLocal, GATEWAY.ip6), false);
  },
);
