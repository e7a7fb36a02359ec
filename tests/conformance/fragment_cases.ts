import { assert, assertEquals } from "@contiv/assert";
import {
  ip4Packet,
  IpProtocol,
  type ParsedIp,
  parseIcmp,
  parseIp,
  parseTransport,
} from "@contiv/net";
import {
  datagram,
  endsOf,
  fragmentsOf,
  Reassembler,
} from "../../agent/vswitch/core/fragment_testing.ts";
import type { Seen } from "./frames.ts";
import type { Peer } from "./peer.ts";
import { NET, send, type SnatCase, type SnatScene } from "./snat_cases.ts";
import { address, mac } from "./values.ts";

/** Octets of payload of a datagram's fragments but the last. */
const SIZES = [1_400, 1_400];
const ROUTER = { 4: "192.0.2.254", 6: "2001:db8::fe" } as const;

/** UDP, or a part of what is most likely UDP. */
const isData = ({ protocol }: Seen): boolean =>
  protocol === IpProtocol.UDP || protocol === IpProtocol.FRAGMENT;

const parsed = (seen: Seen): ParsedIp => parseIp(seen.packet!)!;

/** The next whole datagram, out of as many packets as there are parts. */
async function whole(at: Peer, parts: number): Promise<ParsedIp> {
  const reassembler = new Reassembler();
  for (let i = 0; i < parts; i++) {
    const ip = reassembler.take(parsed(await at.expect(`part ${i} of ${parts}`, isData)));
    if (ip !== undefined) return ip;
  }
  throw new Error(`${parts} fragments make no whole datagram`);
}

/** Sends in the order that is given. */
function sendAll(from: Peer, packets: readonly Uint8Array[], order = [0, 1, 2]): void {
  for (const i of order) send(from, packets[i]!);
}

/** Source translation of datagrams in fragments over one family. What VPP does: records 0017, 0031. */
export function fragmentCases(family: 4 | 6): readonly SnatCase[] {
  const net = NET[family];
  return [
    {
      name: "a pod's datagram in fragments leaves as the node's, and its answer's come back to it",
      async run({ pod, uplink, translatesAll }: SnatScene): Promise<void> {
        sendAll(pod, fragmentsOf(datagram(net.pod, net.outside, [5000, 53]), 11, SIZES));
        if (!translatesAll) return await expectDamaged(family, uplink);
        const out = await whole(uplink, 3);
        const port = parseTransport(out)!.sourcePort;
        assert(port >= 0xc000);
        assertEquals(endsOf(out), `${net.own}|${port} ${net.outside}|53`);
        const answer = datagram(net.outside, net.own, [53, port]);
        for (const [i, order] of [[0, 1, 2], [2, 0, 1], [1, 2, 0]].entries()) {
          sendAll(uplink, fragmentsOf(answer, 20 + i, SIZES), order);
          assertEquals(endsOf(await whole(pod, 3)), `${net.outside}|53 ${net.pod}|5000`);
        }
      },
    },
    {
      name: "what comes to a pod in fragments is answered under the pod's own address",
      async run({ pod, uplink, translatesAll }: SnatScene): Promise<void> {
        sendAll(uplink, fragmentsOf(datagram(net.outside, net.pod, [6000, 53]), 31, SIZES));
        assertEquals(endsOf(await whole(pod, 3)), `${net.outside}|6000 ${net.pod}|53`);
        send(pod, datagram(net.pod, net.outside, [53, 6000], 10));
        const [source] = endsOf(await whole(uplink, 1)).split("|");
        // VPP 26.06 sees no ports behind IPv6's fragment header.
        assertEquals(source, family === 6 && !translatesAll ? net.own : net.pod);
      },
    },
    {
      name: "a flow whose first packet was lost over an unknown neighbour is translated",
      async run({ vpp, pod, uplink, translatesAll }: SnatScene): Promise<void> {
        const neighbor = {
          sw_if_index: uplink.swIfIndex,
          flags: 1,
          mac_address: mac(uplink.mac),
          ip_address: address(ROUTER[family]),
        };
        await vpp.request("ip_neighbor_add_del", { is_add: false, neighbor });
        send(pod, datagram(net.pod, net.outside, [7000, 53], 10));
        const isLost = await uplink.quiet(isData);
        await vpp.request("ip_neighbor_add_del", { is_add: true, neighbor });
        assert(isLost);
        send(pod, datagram(net.pod, net.outside, [7000, 53], 10));
        const [source] = endsOf(await whole(uplink, 1)).split("|");
        assertEquals(source, translatesAll ? net.own : net.pod);
      },
    },
    {
      name: "that an answer is too big for its pod is told to its sender as it sent it",
      async run({ vpp, pod, uplink, translatesAll }: SnatScene): Promise<void> {
        send(pod, datagram(net.pod, net.outside, [8000, 53], 10));
        const port = parseTransport(await whole(uplink, 1))!.sourcePort;
        const setMtu = (mtu: number): Promise<unknown> =>
          vpp.request("sw_interface_set_mtu", { sw_if_index: pod.swIfIndex, mtu: [mtu, 0, 0, 0] });
        await setMtu(1300);
        try {
          const answer = datagram(net.outside, net.own, [53, port], 1_400);
          const isWhole = family === 4 ? withDontFragment(answer) : answer;
          send(uplink, isWhole);
          const protocol = family === 4 ? IpProtocol.ICMP : IpProtocol.ICMP6;
          const type = family === 4 ? 3 : 2;
          const told = await uplink.expect(
            "too big",
            (seen) => seen.protocol === protocol && seen.body[0] === type,
          );
          assertEquals(told.destination, net.outside);
          const quoted = parseIcmp(parsed(told))!.payload;
          const at = family === 4 ? 16 : 24;
          const destination = quoted.subarray(at, at + addressOctets(family));
          const names =
            destination.toHex() === isWhole.subarray(at, at + addressOctets(family)).toHex();
          assertEquals(names, translatesAll);
        } finally {
          await setMtu(1500);
        }
      },
    },
  ];
}

function addressOctets(family: 4 | 6): number {
  return family === 4 ? 4 : 16;
}

function withDontFragment(packet: Uint8Array): Uint8Array {
  const { source, destination, protocol, payload } = parseIp(packet)!;
  return ip4Packet({ source, destination, protocol, payload, fragment: 0x4000 });
}

/** What VPP 26.06 makes of a pod's fragments: of IPv4 ports in later ones' data, of IPv6 nothing. */
async function expectDamaged(family: 4 | 6, uplink: Peer): Promise<void> {
  const net = NET[family];
  const seen: Seen[] = [];
  for (let i = 0; i < 3; i++) seen.push(await uplink.expect(`part ${i}`, isData));
  const sources = seen.map(({ source }) => source);
  if (family === 6) return assertEquals(sources, [net.pod, net.pod, net.pod]);
  assertEquals(sources, [net.own, net.own, net.own]);
  const sent = fragmentsOf(datagram(net.pod, net.outside, [5000, 53]), 11, SIZES);
  const changed = seen.slice(1).map(({ body }, i) => {
    const data = parseIp(sent[i + 1]!)!.payload;
    return body.toHex() !== data.toHex();
  });
  assertEquals(changed, [true, true]);
}
