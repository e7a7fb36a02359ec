import {
  ArpOpcode,
  arpPacket,
  concatBytes,
  ethernetFrame,
  EtherType,
  icmp6Message,
  Icmp6Type,
  Ip4Fragment,
  ip4Packet,
  ip6Packet,
  IpAddress,
  IpProtocol,
  MacAddress,
  NdOption,
  udpDatagram,
} from "@contiv/net";

/** What a container may flood its neighbours with. */
export const FLOODS = [
  "arp",
  "discovery",
  "fragments",
  "hops",
  "destinations",
  "sources",
  "macs",
] as const;
export type Flood = typeof FLOODS[number];

/** Who floods, and whom. */
export interface FloodScene {
  /** Of the sender's device, and of the gateway that it sends to. */
  readonly mac: MacAddress;
  readonly gatewayMac: MacAddress;
  readonly own: IpAddress;
  readonly gateway: IpAddress;
  readonly target: IpAddress;
}

const BROADCAST = "ff:ff:ff:ff:ff:ff";
const GROUP = "ff02::1:ff00:1";
const GROUP_MAC = "33:33:ff:00:00:01";

/** The i-th frame of a flood; each differs from the others. */
export function floodFrame(flood: Flood, i: number, scene: FloodScene): Uint8Array {
  const { mac, gatewayMac, own, gateway, target } = scene;
  const chance = Math.imul(i + 1, 0x9e3779b1) >>> 0;
  const any4 = IpAddress.fromBigInt(4, BigInt(chance));
  const anyMac = MacAddress.from(Uint8Array.of(2, 0xbb, ...bytesOf(chance)));
  const udp = (source: IpAddress, destination: IpAddress): Uint8Array =>
    udpDatagram({ source, destination, sourcePort: 1, destinationPort: 9, payload: bytesOf(i) });
  const packet = (fields: Partial<Parameters<typeof ip4Packet>[0]>): Uint8Array => {
    const { source = own, destination = target } = fields;
    const [from, to] = [source, destination] as readonly IpAddress[] as [IpAddress, IpAddress];
    const payload = udp(from, to);
    return ip4Packet({ source, destination, protocol: IpProtocol.UDP, payload, ...fields });
  };
  const toGateway = (payload: Uint8Array, source = mac): Uint8Array =>
    ethernetFrame({ source, destination: gatewayMac, payload });
  switch (flood) {
    case "arp": {
      // Half ask for anything, half claim to be anybody.
      const opcode = i % 2 === 0 ? ArpOpcode.REQUEST : ArpOpcode.REPLY;
      const asks = opcode === ArpOpcode.REQUEST;
      const payload = arpPacket({
        opcode,
        senderMac: mac,
        senderIp: asks ? own : any4,
        targetMac: gatewayMac,
        targetIp: asks ? any4 : gateway,
      });
      return ethernetFrame({
        source: mac,
        destination: BROADCAST,
        etherType: EtherType.ARP,
        payload,
      });
    }
    case "discovery": {
      const source = IpAddress.parse("fe80::").add(BigInt(chance));
      const option = concatBytes(Uint8Array.of(NdOption.SOURCE_LINK_LAYER, 1), mac.bytes);
      const message = icmp6Message({
        source,
        destination: GROUP,
        type: Icmp6Type.NEIGHBOR_SOLICITATION,
        payload: concatBytes(IpAddress.parse("fe80::1").add(BigInt(i)).bytes, option),
      });
      const payload = ip6Packet({
        source,
        destination: GROUP,
        nextHeader: IpProtocol.ICMP6,
        payload: message,
        hopLimit: 255,
      });
      return ethernetFrame({ source: mac, destination: GROUP_MAC, payload });
    }
    case "fragments":
      return toGateway(packet({
        destination: gateway,
        id: i & 0xffff,
        fragment: Ip4Fragment.MORE,
        payload: new Uint8Array(1_400),
      }));
    case "hops":
      return toGateway(packet({ ttl: 1 }));
    case "destinations":
      return toGateway(packet({ destination: any4 }));
    case "sources":
      return toGateway(packet({ source: any4 }));
    case "macs":
      return toGateway(packet({ source: any4 }), anyMac);
  }
}

function bytesOf(word: number): Uint8Array {
  return Uint8Array.of(word >>> 24, word >>> 16, word >>> 8, word);
}
