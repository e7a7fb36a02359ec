import { assert, assertEquals } from "@contiv/assert";
import {
  concatBytes,
  ethernetFrame,
  ip4Packet,
  ip6Packet,
  IpProtocol,
  type ParsedIp,
  parseEthernet,
  parseIp,
  parseTransport,
  udpDatagram,
} from "@contiv/net";
import { address, mac, NONE, prefix, via } from "./values.ts";
import { ethernet, EtherType, Protocol, type Seen } from "./frames.ts";
import type { PacketCase, Scene } from "./packet_cases.ts";
import type { Peer } from "./peer.ts";

/** The other node, as seen from here: behind `right`, in the subnets of `furnish`. */
const OWN_BVI = "02:fe:00:00:02:01";
const PEER_BVI = "02:fe:00:00:02:02";
const VNI = 10;
/** Octets of an outer IPv4 or IPv6 header with UDP, VXLAN and Ethernet. */
const MTU = { 4: 1450, 6: 1430 } as const;
const UNDERLAY = {
  4: { own: "10.1.2.1", peer: "10.1.2.2" },
  6: { own: "fd00:2::1", peer: "fd00:2::2" },
} as const;
const PODS = [["10.1.1.2", "10.2.0.2"], ["fd00:1::2", "fd00:a::2"]] as const;

function datagram(source: string, destination: string, size: number, fragment = 0): Uint8Array {
  const ends = { source, destination };
  const fields = {
    ...ends,
    sourcePort: 1000,
    destinationPort: 2000,
    payload: new Uint8Array(size),
  };
  const payload = udpDatagram(fields);
  return source.includes(":")
    ? ip6Packet({ ...ends, nextHeader: IpProtocol.UDP, payload })
    : ip4Packet({ ...ends, protocol: IpProtocol.UDP, payload, fragment });
}

function sendIp(from: Peer, packet: Uint8Array): void {
  const type = packet[0]! >>> 4 === 6 ? EtherType.IP6 : EtherType.IP4;
  from.send(ethernet(from.switchMac, from.mac, type, packet));
}

/** A frame in the packet of a tunnel from the other node. */
function encapsulated(family: 4 | 6, inner: Uint8Array, vni = VNI, flags = 8): Uint8Array {
  const frame = ethernetFrame({ source: PEER_BVI, destination: OWN_BVI, payload: inner });
  const header = Uint8Array.of(flags, 0, 0, 0, 0, 0, vni, 0);
  const ends = { source: UNDERLAY[family].peer, destination: UNDERLAY[family].own };
  const payload = udpDatagram({
    ...ends,
    sourcePort: 50_000,
    destinationPort: 4789,
    payload: concatBytes(header, frame),
  });
  return family === 6
    ? ip6Packet({ ...ends, nextHeader: IpProtocol.UDP, payload })
    : ip4Packet({ ...ends, protocol: IpProtocol.UDP, payload });
}

const isUdp = (frame: Seen): boolean => frame.protocol === Protocol.UDP;
const isTunnel = (frame: Seen): boolean =>
  isUdp(frame) && (frame.body[2]! << 8 | frame.body[3]!) === 4789;

/** The switch also asks for its neighbours now and then. */
const isError = (protocol: number, type: number) => (frame: Seen): boolean =>
  frame.protocol === protocol && frame.body[0] === type;

interface Unpacked {
  readonly outer: Seen;
  readonly header: string;
  readonly source: string;
  readonly destination: string;
  readonly ip: ParsedIp;
}

function unpack(outer: Seen): Unpacked {
  const frame = parseEthernet(outer.body.subarray(16))!;
  return {
    outer,
    header: outer.body.subarray(8, 16).toHex(),
    source: String(frame.source),
    destination: String(frame.destination),
    ip: parseIp(frame.payload)!,
  };
}

/** Joins the scene's switch to another node by a tunnel over one family, as the agent does. */
export async function furnishOverlay({ vpp, right }: Scene, family: 4 | 6): Promise<void> {
  const bd_id = family;
  const { own, peer } = UNDERLAY[family];
  await vpp.request("sw_interface_set_mtu", { sw_if_index: right.swIfIndex, mtu: [1500, 0, 0, 0] });
  await vpp.request("bridge_domain_add_del_v2", { bd_id, is_add: true, forward: true });
  const { sw_if_index: bvi } = await vpp.request("create_loopback_instance", {
    mac_address: mac(OWN_BVI),
  });
  await vpp.request("sw_interface_set_flags", { sw_if_index: bvi, flags: 1 });
  await vpp.request("sw_interface_set_mtu", { sw_if_index: bvi, mtu: [MTU[family], 0, 0, 0] });
  for (const text of ["10.255.0.1/24", "fd00:ff::1/64"]) {
    await vpp.request("sw_interface_add_del_address", {
      sw_if_index: bvi,
      is_add: true,
      prefix: prefix(text),
    });
  }
  const bridge = { bd_id, enable: true };
  await vpp.request("sw_interface_set_l2_bridge", { ...bridge, rx_sw_if_index: bvi, port_type: 1 });
  const { sw_if_index } = await vpp.request("vxlan_add_del_tunnel_v3", {
    is_add: true,
    instance: NONE,
    src_address: address(own),
    dst_address: address(peer),
    src_port: 4789,
    dst_port: 4789,
    mcast_sw_if_index: NONE,
    decap_next_index: NONE,
    vni: VNI,
  });
  await vpp.request("sw_interface_set_l2_bridge", {
    ...bridge,
    rx_sw_if_index: sw_if_index,
    shg: 1,
  });
  await vpp.request("l2fib_add_del", {
    mac: mac(PEER_BVI),
    bd_id,
    sw_if_index,
    is_add: true,
    static_mac: true,
  });
  for (const [hop, to] of [["10.255.0.2", "10.2.0.0/24"], ["fd00:ff::2", "fd00:a::/64"]] as const) {
    await vpp.request("ip_neighbor_add_del", {
      is_add: true,
      neighbor: {
        sw_if_index: bvi,
        flags: 1,
        mac_address: mac(PEER_BVI),
        ip_address: address(hop),
      },
    });
    await vpp.request("ip_route_add_del_v2", {
      is_add: true,
      route: { prefix: prefix(to), paths: [via(bvi, hop)] },
    });
  }
}

/** What a tunnel over one family does with packets. */
export function overlayCases(family: 4 | 6): readonly PacketCase[] {
  const mtu = MTU[family];
  return [
    {
      name: "a pod's packet goes to the other node in a tunnel's packet",
      async run({ left, right }): Promise<void> {
        for (const [source, destination] of PODS) {
          sendIp(left, datagram(source, destination, 100));
          const { outer, header, ip, ...macs } = unpack(
            await right.expect("a tunnel's packet", isTunnel),
          );
          assertEquals([outer.source, outer.destination], Object.values(UNDERLAY[family]));
          assertEquals(outer.hops, family === 4 ? 253 : 254);
          assertEquals(outer.sound ?? true, true);
          assertEquals(header, "0800000000000a00");
          assertEquals(macs, { source: OWN_BVI, destination: PEER_BVI });
          assertEquals([String(ip.source), ip.ttl], [source, 63]);
          assert(parseTransport(ip)?.checksumOk);
          const sum = outer.body[6]! << 8 | outer.body[7]!;
          assertEquals(sum === 0, family === 4);
        }
      },
    },
    {
      name: "a packet of the tunnel's other end reaches the pod, others fall",
      async run({ left, right }): Promise<void> {
        for (const [pod, remote] of PODS) {
          sendIp(right, encapsulated(family, datagram(remote, pod, 100)));
          const seen = await left.expect("the inner packet", isUdp);
          assertEquals([seen.source, seen.destination, seen.hops], [remote, pod, 63]);
        }
        const inner = datagram(PODS[0][1], PODS[0][0], 100);
        sendIp(right, encapsulated(family, inner, VNI + 1));
        sendIp(right, encapsulated(family, inner, VNI, 0));
        assert(await left.quiet(isUdp));
      },
    },
    {
      name: "what just fits is sent, and what does not is told how much does",
      async run({ left, right }): Promise<void> {
        const [[pod, remote], [pod6, remote6]] = PODS;
        sendIp(left, datagram(pod, remote, mtu - 28, 0x4000));
        const fits = unpack(await right.expect("a tunnel's packet", isTunnel));
        assertEquals(fits.outer.body.length + (family === 4 ? 20 : 40), 1500);
        sendIp(left, datagram(pod, remote, mtu - 27, 0x4000));
        const told = await left.expect("ICMP", isError(Protocol.ICMP, 3));
        assertEquals(told.body[1], 4);
        assertEquals(told.body[6]! << 8 | told.body[7]!, mtu);
        sendIp(left, datagram(pod6, remote6, mtu - 47));
        const told6 = await left.expect("ICMPv6", isError(Protocol.ICMP6, 2));
        assertEquals(told6.body[6]! << 8 | told6.body[7]!, mtu);
        assert(await right.quiet(isTunnel));
      },
    },
    {
      name: "what may be cut is cut before the tunnel",
      async run({ left, right }): Promise<void> {
        const [pod, remote] = PODS[0];
        sendIp(left, datagram(pod, remote, 1470));
        let total = 0;
        for (let i = 0; i < 2; i++) {
          const { ip, outer } = unpack(await right.expect("a fragment in a tunnel", isTunnel));
          assert(outer.body.length <= 1480);
          total += ip.payload.length;
        }
        assertEquals(total, 1478);
      },
    },
  ];
}
