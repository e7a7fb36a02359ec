import { assert, assertEquals, assertStringIncludes } from "@contiv/assert";
import type { VppClient } from "@contiv/vppapi";
import {
  arpRequest,
  echo4,
  ethernet,
  EtherType,
  icmp6,
  ip4,
  ip6,
  Protocol,
  type Seen,
  udp,
} from "./frames.ts";
import type { Peer } from "./peer.ts";
import { address, mac, prefix, via } from "./values.ts";

/** Two peers behind two interfaces: `10.1.<n>.1/24` and `fd00:<n>::1/64` are the switch's. */
export interface Scene {
  readonly vpp: VppClient;
  readonly left: Peer;
  readonly right: Peer;
}

/** One behaviour of the packet plane. */
export interface PacketCase {
  readonly name: string;
  run(scene: Scene): Promise<void>;
}

export const LEFT = {
  ip4: "10.1.1.2",
  gateway4: "10.1.1.1",
  ip6: "fd00:1::2",
  gateway6: "fd00:1::1",
};
export const RIGHT = {
  ip4: "10.1.2.2",
  gateway4: "10.1.2.1",
  ip6: "fd00:2::2",
  gateway6: "fd00:2::1",
};

/** Path type, code of the ICMP message that it causes, and a destination. */
const REFUSALS = [[5, 1, "172.17.0.1"], [6, 10, "172.17.77.2"]] as const;

const isUdp = (frame: Seen): boolean => frame.protocol === Protocol.UDP;
const isIcmp = (frame: Seen): boolean => frame.protocol === Protocol.ICMP;

/** Gives a scene its addresses and neighbours. */
export async function furnish({ vpp, left, right }: Scene): Promise<void> {
  for (const [peer, host] of [[left, LEFT], [right, RIGHT]] as const) {
    for (const text of [`${host.gateway4}/24`, `${host.gateway6}/64`]) {
      await vpp.request("sw_interface_add_del_address", {
        sw_if_index: peer.swIfIndex,
        is_add: true,
        prefix: prefix(text),
      });
    }
    await vpp.request("sw_interface_ip6nd_ra_config", {
      sw_if_index: peer.swIfIndex,
      suppress: 1,
    });
    for (const ip of [host.ip4, host.ip6]) {
      await vpp.request("ip_neighbor_add_del", {
        is_add: true,
        neighbor: {
          sw_if_index: peer.swIfIndex,
          flags: 1,
          mac_address: mac(peer.mac),
          ip_address: address(ip),
        },
      });
    }
  }
}

function frame4(from: Peer, to: string, ttl = 64): Uint8Array<ArrayBuffer> {
  const packet = ip4(LEFT.ip4, to, Protocol.UDP, udp(1000, 2000), ttl);
  return ethernet(from.switchMac, from.mac, EtherType.IP4, packet);
}

export const PACKET_CASES: readonly PacketCase[] = [
  {
    name: "a request for the switch's address is answered with its MAC address",
    async run({ left }): Promise<void> {
      const ask = arpRequest(left.mac, LEFT.ip4, LEFT.gateway4);
      left.send(ethernet("ff:ff:ff:ff:ff:ff", left.mac, EtherType.ARP, ask));
      const answer = await left.expect(
        "an ARP reply",
        ({ type, body }) => type === EtherType.ARP && body[7] === 2,
      );
      assertEquals([answer.to, answer.from], [left.mac, left.switchMac]);
      assertEquals(answer.body.slice(8, 14), mac(left.switchMac));
      assertEquals([...answer.body.slice(14, 18)], [10, 1, 1, 1]);
    },
  },
  {
    name: "a request for another's address is not answered",
    async run({ left }): Promise<void> {
      const ask = arpRequest(left.mac, LEFT.ip4, "10.1.1.77");
      left.send(ethernet("ff:ff:ff:ff:ff:ff", left.mac, EtherType.ARP, ask));
      assert(await left.quiet(({ type, body }) => type === EtherType.ARP && body[7] === 2));
    },
  },
  {
    name: "a packet is routed: addresses rewritten, one hop less, checksum right, payload whole",
    async run({ left, right }): Promise<void> {
      left.send(frame4(left, RIGHT.ip4));
      const seen = await right.expect("the packet", isUdp);
      assertEquals([seen.to, seen.from], [right.mac, right.switchMac]);
      assertEquals([seen.source, seen.destination, seen.hops], [LEFT.ip4, RIGHT.ip4, 63]);
      assertEquals(seen.sound, true);
      assertEquals(seen.body, udp(1000, 2000));
    },
  },
  {
    name: "an IPv6 packet is routed with one hop less",
    async run({ left, right }): Promise<void> {
      const packet = ip6(LEFT.ip6, RIGHT.ip6, Protocol.UDP, udp(1000, 2000));
      left.send(ethernet(left.switchMac, left.mac, EtherType.IP6, packet));
      const seen = await right.expect("the packet", isUdp);
      assertEquals([seen.to, seen.from, seen.hops], [right.mac, right.switchMac, 63]);
      assertEquals([seen.source, seen.destination], [LEFT.ip6, RIGHT.ip6]);
    },
  },
  {
    name: "a packet for another MAC address is dropped",
    async run({ left, right }): Promise<void> {
      const packet = ip4(LEFT.ip4, RIGHT.ip4, Protocol.UDP, udp(1, 2));
      left.send(ethernet("02:00:00:00:00:99", left.mac, EtherType.IP4, packet));
      assert(await right.quiet(isUdp));
    },
  },
  {
    name: "a packet without a hop left is told of to its sender",
    async run({ left, right }): Promise<void> {
      left.send(frame4(left, RIGHT.ip4, 1));
      const seen = await left.expect("ICMP time exceeded", isIcmp);
      assertEquals([seen.body[0], seen.body[1]], [11, 0]);
      assertEquals([seen.source, seen.destination], [LEFT.gateway4, LEFT.ip4]);
      assertEquals(seen.sound, true);
      assert(await right.quiet(isUdp));
    },
  },
  {
    name: "the switch answers an echo to each of its addresses",
    async run({ left }): Promise<void> {
      for (const target of [LEFT.gateway4, RIGHT.gateway4]) {
        const packet = ip4(LEFT.ip4, target, Protocol.ICMP, echo4());
        left.send(ethernet(left.switchMac, left.mac, EtherType.IP4, packet));
        const seen = await left.expect(`an echo reply from ${target}`, isIcmp);
        assertEquals([seen.source, seen.body[0]], [target, 0]);
        assertEquals(seen.body.slice(4), echo4().slice(4));
        assertEquals(seen.sound, true);
      }
    },
  },
  {
    name: "the switch answers an ICMPv6 echo and a neighbour solicitation",
    async run({ left }): Promise<void> {
      const ask = icmp6(LEFT.ip6, LEFT.gateway6, [128, 0, 0, 0, 0, 7, 0, 1, 1, 2, 3, 4]);
      const packet = ip6(LEFT.ip6, LEFT.gateway6, Protocol.ICMP6, ask);
      left.send(ethernet(left.switchMac, left.mac, EtherType.IP6, packet));
      const isIcmp6 = (type: number) => ({ protocol, body }: Seen): boolean =>
        protocol === Protocol.ICMP6 && body[0] === type;
      const reply = await left.expect("an echo reply", isIcmp6(129));
      assertEquals(reply.source, LEFT.gateway6);
      const group = "ff02::1:ff00:1";
      const gateway = address(LEFT.gateway6).un;
      const solicitation = icmp6(LEFT.ip6, group, [
        ...[135, 0, 0, 0, 0, 0, 0, 0],
        ...gateway,
        ...[1, 1],
        ...mac(left.mac),
      ]);
      const question = ip6(LEFT.ip6, group, Protocol.ICMP6, solicitation, 255);
      left.send(ethernet("33:33:ff:00:00:01", left.mac, EtherType.IP6, question));
      const advertised = await left.expect("a neighbour advertisement", isIcmp6(136));
      assertEquals([advertised.source, advertised.hops], [LEFT.gateway6, 255]);
      assertEquals(advertised.body.slice(8, 24), gateway);
      assertEquals(advertised.body.slice(26, 32), mac(left.switchMac));
    },
  },
  {
    name: "a packet that no route takes is dropped without a word",
    async run({ left }): Promise<void> {
      left.send(frame4(left, "172.16.0.1"));
      assert(await left.quiet(isIcmp));
    },
  },
  {
    name: "routes that refuse say so: host unreachable, or prohibited",
    async run({ vpp, left }): Promise<void> {
      // Senders are told at most once in 100 ms, in four classes by addresses and chance.
      for (const [type, code, target] of REFUSALS) {
        const route = {
          prefix: prefix("172.17.0.0/16"),
          paths: [{ ...via(0xffffffff), type }],
        };
        await vpp.request("ip_route_add_del_v2", { is_add: true, route });
        await new Promise((resolve) => setTimeout(resolve, 150));
        left.send(frame4(left, target));
        const seen = await left.expect(`ICMP unreachable with code ${code}`, isIcmp);
        assertEquals([seen.body[0], seen.body[1]], [3, code]);
        assertEquals(seen.destination, LEFT.ip4);
        await vpp.request("ip_route_add_del_v2", { is_add: false, route });
      }
    },
  },
  {
    name: "the longest prefix wins, and a removed route takes no more packets",
    async run({ vpp, left, right }): Promise<void> {
      const set = (text: string, is_add: boolean, peer: Peer, hop: string) =>
        vpp.request("ip_route_add_del_v2", {
          is_add,
          route: { prefix: prefix(text), paths: [via(peer.swIfIndex, hop)] },
        });
      await set("172.18.0.0/16", true, left, LEFT.ip4);
      await set("172.18.5.0/24", true, right, RIGHT.ip4);
      left.send(frame4(left, "172.18.5.5"));
      const seen = await right.expect("the packet", isUdp);
      assertEquals(seen.destination, "172.18.5.5");
      await set("172.18.5.0/24", false, right, RIGHT.ip4);
      left.send(frame4(left, "172.18.5.5"));
      assert(await right.quiet(isUdp));
      await set("172.18.0.0/16", false, left, LEFT.ip4);
    },
  },
  {
    name: "an unknown neighbour is asked for, and packets follow once it has answered",
    async run({ left, right }): Promise<void> {
      left.send(frame4(left, "10.1.2.50"));
      const isAsk = ({ type, body }: Seen): boolean => type === EtherType.ARP && body[7] === 1;
      const ask = await right.expect("an ARP request", isAsk);
      assertEquals(ask.to, "ff:ff:ff:ff:ff:ff");
      assertEquals([...ask.body.slice(24, 28)], [10, 1, 2, 50]);
      const answer = ask.body.slice(0, 28);
      answer.set([0, 2], 6);
      answer.set(mac("02:bb:00:00:0a:50"), 8);
      answer.set([10, 1, 2, 50], 14);
      answer.set(ask.body.slice(8, 18), 18);
      right.send(ethernet(right.switchMac, "02:bb:00:00:0a:50", EtherType.ARP, answer));
      await new Promise((resolve) => setTimeout(resolve, 50));
      left.send(frame4(left, "10.1.2.50"));
      const seen = await right.expect("the packet", isUdp);
      assertEquals(seen.to, "02:bb:00:00:0a:50");
    },
  },
  {
    name: "strictly checked, a source must be routed to where it speaks from",
    async run({ vpp, left, right }): Promise<void> {
      const check = (mode: number): Promise<unknown> =>
        Promise.all(
          [0, 1].map((af) =>
            vpp.request("urpf_update_v2", { mode, af, sw_if_index: left.swIfIndex })
          ),
        );
      const send4 = (source: string): void => {
        const packet = ip4(source, RIGHT.ip4, Protocol.UDP, udp(1, 2));
        left.send(ethernet(left.switchMac, left.mac, EtherType.IP4, packet));
      };
      const send6 = (source: string): void => {
        const packet = ip6(source, RIGHT.ip6, Protocol.UDP, udp(1, 2));
        left.send(ethernet(left.switchMac, left.mac, EtherType.IP6, packet));
      };
      send4("203.0.113.9");
      await right.expect("the unchecked packet", isUdp);
      await check(2);
      for (const source of [RIGHT.ip4, "203.0.113.9", LEFT.gateway4, "0.0.0.0"]) send4(source);
      for (const source of [RIGHT.ip6, "2001:db8::1", "fe80::1", LEFT.gateway6]) send6(source);
      assert(await right.quiet(isUdp), "a foreign source passed");
      send4(LEFT.ip4);
      assertEquals((await right.expect("the own source's packet", isUdp)).source, LEFT.ip4);
      send6(LEFT.ip6);
      assertEquals((await right.expect("the own source's packet", isUdp)).source, LEFT.ip6);
      await check(0);
      send4("203.0.113.9");
      await right.expect("the packet, unchecked again", isUdp);
    },
  },
  {
    name: "an interface that is down neither takes nor gives",
    async run({ vpp, left, right }): Promise<void> {
      const sw_if_index = right.swIfIndex;
      await vpp.request("sw_interface_set_flags", { sw_if_index, flags: 0 });
      left.send(frame4(left, RIGHT.ip4));
      assert(await right.quiet(isUdp));
      await vpp.request("sw_interface_set_flags", { sw_if_index, flags: 1 });
      await new Promise((resolve) => setTimeout(resolve, 100));
      left.send(frame4(left, RIGHT.ip4));
      await right.expect("the packet", isUdp);
    },
  },
  {
    name: "counters count, and the trace shows the packet's way",
    async run({ vpp, left, right }): Promise<void> {
      const [link] = await vpp.dump("sw_interface_dump", { sw_if_index: left.swIfIndex });
      const kind = link?.interface_dev_type === "tap" ? "virtio-input" : "af-packet-input";
      await vpp.request("cli_inband", { cmd: `trace add ${kind} 10` });
      left.send(frame4(left, RIGHT.ip4));
      await right.expect("the packet", isUdp);
      const { reply } = await vpp.request("cli_inband", { cmd: "show trace" });
      for (const node of ["ethernet-input", "ip4-input", "ip4-lookup", "ip4-rewrite"]) {
        assertStringIncludes(reply, node);
      }
      const records = await vpp.dump("trace_v2_dump", { thread_id: 0, position: 0, max: 100 });
      assert(records.length > 0);
      assert(records.some(({ trace_data }) => trace_data.includes("ip4-lookup")));
      await vpp.request("cli_inband", { cmd: "clear trace" });
      const shown = (await vpp.request("cli_inband", { cmd: "show interface" })).reply;
      assertStringIncludes(shown, "rx packets");
      assertStringIncludes(shown, "tx packets");
    },
  },
];
