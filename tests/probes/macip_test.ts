/** What a list of senders keeps a pod from, and what it does not look at. Record: 0043. */
import { assert, assertEquals, assertMatch } from "@contiv/assert";
import { Libc, PacketSocket } from "@contiv/libc";
import {
  arpPacket,
  concatBytes,
  ethernetFrame,
  EtherType,
  ip4Packet,
  ip6Packet,
  IpProtocol,
  MacAddress,
  neighborPacket,
  udpDatagram,
} from "@contiv/net";
import { AclAction, IpProto, UrpfMode } from "@contiv/vppapi";
import { NONE, prefix } from "../conformance/values.ts";
import { applyAcls, setAcl } from "./lab/acl.ts";
import { setService } from "./lab/cnat.ts";
import { GATEWAY, type Lab } from "./lab/lab.ts";
import type { Pod } from "./lab/pod.ts";
import { probe } from "./lab/probe.ts";

const WHOLE = new Uint8Array(6).fill(0xff);
const FOREIGN = MacAddress.parse("02:66:66:66:66:66");
const BROADCAST = "ff:ff:ff:ff:ff:ff";
const DOT1AD = 0x88a8;

/** Makes the list of a pod: its MAC address with each of its addresses. */
async function addList(lab: Lab, pod: Pod): Promise<number> {
  const { acl_index } = await lab.vpp.request("macip_acl_add_replace", {
    tag: "probe",
    r: [`${pod.ip4}/32`, `${pod.ip6}/128`].map((text) => ({
      is_permit: AclAction.PERMIT,
      src_mac: pod.place.mac.bytes,
      src_mac_mask: WHOLE,
      src_prefix: prefix(text),
    })),
  });
  return acl_index;
}

async function guard(lab: Lab, pod: Pod): Promise<void> {
  const acl_index = await addList(lab, pod);
  await lab.vpp.request("macip_acl_interface_add_del", { sw_if_index: pod.index, acl_index });
  for (const af of [0, 1]) {
    await lab.vpp.request("urpf_update_v2", {
      ...{ is_input: true, mode: UrpfMode.STRICT, af },
      ...{ sw_if_index: pod.index, table_id: NONE },
    });
  }
}

async function net(lab: Lab): Promise<[Pod, Pod]> {
  const a = await lab.pod("a", ["10.1.0.2", "fd00:1::2"]);
  const b = await lab.pod("b", ["10.1.0.3", "fd00:1::3"]);
  for (const host of b.addresses) b.serveUdp(host, 53);
  const common = { protocol: IpProto.UDP, isRealIp: 1 };
  await setService(lab.vpp, { vip: "10.96.0.1|53", backends: ["10.1.0.3|53"], ...common });
  await setService(lab.vpp, { vip: "fd00:96::1|53", backends: ["fd00:1::3|53"], ...common });
  return [a, b];
}

probe("senders are looked at last: behind uRPF, cnat and acl, before routing", async (lab) => {
  const [a] = await net(lab);
  await guard(lab, a);
  const list = await setAcl(lab.vpp, [{ action: "reflect" }, { action: "reflect", ip6: true }]);
  await applyAcls(lab.vpp, a.index, [list], [list]);
  for (const [version, vip] of [["ip4", "10.96.0.1"], ["ip6", "fd00:96::1"]] as const) {
    const all = await lab.trace(async () => assertMatch(await a.askUdp(vip, 53), /^b /));
    const asked = all.find((nodes) => nodes.includes(`${version}-inacl`)) ?? [];
    assertEquals(asked.slice(2, 8), [
      `${version}-input`,
      `${version}-rx-urpf-strict`,
      `cnat-input-${version}`,
      `acl-plugin-in-${version}-fa`,
      `${version}-inacl`,
      `${version}-lookup`,
    ]);
  }
});

probe(
  "of a foreign MAC address, what IP routes is dropped, groups and ARP are not",
  async (lab, t) => {
    const [a, b] = await net(lab);
    await guard(lab, a);
    const { vpp } = lab;
    const gateway = a.place.gatewayMac;
    const udp = (source: string, destination: string): Uint8Array => {
      const payload = udpDatagram({ source, destination, sourcePort: 1, destinationPort: 2 });
      return source.includes(":")
        ? ip6Packet({ source, destination, nextHeader: IpProtocol.UDP, payload })
        : ip4Packet({ source, destination, protocol: IpProtocol.UDP, payload });
    };
    const solicit = (source: string, destination: string, mac?: MacAddress): Uint8Array =>
      neighborPacket({
        ...{ type: "solicitation", source, destination, target: GATEWAY.ip6 },
        ...mac !== undefined && { mac },
      });
    const arp = (senderMac: MacAddress, senderIp: string): Uint8Array =>
      arpPacket({ senderMac, senderIp, targetIp: GATEWAY.ip4 });
    const group = "33:33:ff:00:00:01";
    const solicited = "ff02::1:ff00:1";
    type Frame = (mac: MacAddress) => Parameters<typeof ethernetFrame>[0];
    /** Frames, and the node that has the last word on them, of the own and of a foreign MAC address. */
    const frames: Readonly<Record<string, readonly [Frame, own: string, foreign: string]>> = {
      "IPv4": [
        (source) => ({ source, destination: gateway, payload: udp(a.ip4, b.ip4) }),
        ...["host-v-b-tx", "ip4-inacl"] as const,
      ],
      "IPv6": [
        (source) => ({ source, destination: gateway, payload: udp(a.ip6, b.ip6) }),
        ...["host-v-b-tx", "ip6-inacl"] as const,
      ],
      "a link-local source": [
        (source) => ({ source, destination: gateway, payload: udp("fe80::1", b.ip6) }),
        ...["ip6-rx-urpf-strict", "ip6-rx-urpf-strict"] as const,
      ],
      "DHCP": [
        (source) => ({
          source,
          destination: BROADCAST,
          payload: udp("0.0.0.0", "255.255.255.255"),
        }),
        ...["ip4-inacl", "ip4-inacl"] as const,
      ],
      "an IPv4 group": [
        (source) => ({
          ...{ source, destination: "01:00:5e:00:00:01", payload: udp(a.ip4, "224.0.0.1") },
        }),
        ...["ip4-mfib-forward-rpf", "ip4-mfib-forward-rpf"] as const,
      ],
      "duplicate address detection": [
        (source) => ({ source, destination: group, payload: solicit("::", solicited) }),
        ...["host-v-a-tx", "host-v-a-tx"] as const,
      ],
      "a solicitation": [
        (source) => ({ source, destination: group, payload: solicit(a.ip6, solicited, source) }),
        ...["host-v-a-tx", "host-v-a-tx"] as const,
      ],
      "a solicitation of one": [
        (source) => ({
          source,
          destination: gateway,
          payload: solicit(a.ip6, GATEWAY.ip6, source),
        }),
        ...["host-v-a-tx", "ip6-inacl"] as const,
      ],
      "ARP": [
        (source) => ({
          ...{ source, destination: BROADCAST, etherType: EtherType.ARP },
          payload: arp(source, a.ip4),
        }),
        ...["host-v-a-tx", "host-v-a-tx"] as const,
      ],
      "ARP of another's MAC address than the frame's": [
        (source) => ({
          ...{ source, destination: BROADCAST, etherType: EtherType.ARP },
          payload: arp(MacAddress.parse("02:00:00:00:00:99"), a.ip4),
        }),
        ...["arp-reply", "arp-reply"] as const,
      ],
      "an ARP probe": [
        (source) => ({
          ...{ source, destination: BROADCAST, etherType: EtherType.ARP },
          payload: arp(source, "0.0.0.0"),
        }),
        ...["arp-input", "arp-input"] as const,
      ],
      "a VLAN": [
        (source) => ({
          ...{ source, destination: gateway, etherType: EtherType.VLAN },
          payload: concatBytes(Uint8Array.of(0, 7, 8, 0), udp(a.ip4, b.ip4)),
        }),
        ...["ethernet-input", "ethernet-input"] as const,
      ],
      "two VLAN tags": [
        (source) => ({
          ...{ source, destination: gateway, etherType: DOT1AD },
          payload: concatBytes(Uint8Array.of(0, 0, 0x81, 0, 0, 0, 8, 0), udp(a.ip4, b.ip4)),
        }),
        ...["ethernet-input", "ethernet-input"] as const,
      ],
      "another protocol": [
        (source) => ({
          ...{ source, destination: gateway, etherType: 0x88cc },
          payload: new Uint8Array(60),
        }),
        ...["ethernet-input", "ethernet-input"] as const,
      ],
    };
    using libc = Libc.open();
    using wire = a.place.netns.run(() =>
      PacketSocket.open(libc, { index: a.place.link, vnetHeader: false, ignoreOutgoing: true })
    );
    const ends = ["error-drop", "error-punt", "drop", "punt", "ip4-drop", "ip6-drop"];
    for (const [what, [frame, own, foreign]] of Object.entries(frames)) {
      await t.step(what, async () => {
        for (const [mac, wanted] of [[a.place.mac, own], [FOREIGN, foreign]] as const) {
          const all = await lab.trace(async () => {
            wire.write(Uint8Array.from(ethernetFrame(frame(mac))));
            await new Promise((resolve) => setTimeout(resolve, 30));
          });
          const last = all.map((nodes) => nodes.filter((node) => !ends.includes(node)).at(-1));
          assert(last.includes(wanted), `${mac}: ${JSON.stringify(all)}, ${wanted} wanted`);
        }
      });
    }
    await t.step("none of it has taught VPP another neighbour", async () => {
      for (const af of [0, 1]) {
        const all = await vpp.dump("ip_neighbor_dump", { sw_if_index: NONE, af });
        assertEquals(
          all.map(({ neighbor }) => MacAddress.from(neighbor.mac_address).toString()).sort(),
          [a, b].map(({ place }) => place.mac.toString()).sort(),
        );
      }
    });
  },
);

probe("a list is nine tables, of a heap each, and they go with it", async (lab) => {
  const a = await lab.pod("a", ["10.1.0.2", "fd00:1::2"]);
  const tables = async (): Promise<number> =>
    (await lab.cli("show classify tables")).match(/^ +\d+ /gm)?.length ?? 0;
  assertEquals(await tables(), 0);
  const lists = [await addList(lab, a), await addList(lab, a)];
  assertEquals(await tables(), 18);
  for (const acl_index of lists) await lab.vpp.request("macip_acl_del", { acl_index });
  assertEquals(await tables(), 0);
});
