import {
  arpPacket,
  ethernetFrame,
  EtherType,
  IpAddress,
  IpPrefix,
  MacAddress,
  parseArp,
  type ParsedArp,
  type ParsedEthernet,
  type ParsedIp,
  parseEthernet,
  parseIp,
  VNET_HEADER_LENGTH,
  vnetFrame,
} from "@contiv/net";
import { Dataplane } from "./dataplane.ts";
import { makePath } from "./fib/path.ts";
import {
  type DataplaneEvent,
  type DataplaneOptions,
  type InterfaceKind,
  NONE,
  PathProto,
  type RouteChange,
  type RoutePath,
} from "./types.ts";

/** A frame that left by an interface, copied and taken apart. */
export interface Sent {
  readonly swIfIndex: number;
  /** With its virtio-net header. */
  readonly bytes: Uint8Array;
  readonly ethernet: ParsedEthernet;
  readonly ip: ParsedIp | undefined;
  readonly arp: ParsedArp | undefined;
}

/** Where frames are put: behind the room that a tunnel needs, and odd. */
const TUNNEL_ROOM = 128;
const ODD_PLACE = TUNNEL_ROOM + 5;

/** Octets beside a frame that nobody may write, and what they are. */
const GUARD = 64;
const MARK = 0xa5;

/** A data plane with in-memory ports: frames go in by calls and come out in a list. */
export class TestBench {
  readonly plane: Dataplane;
  readonly sent: Sent[] = [];
  readonly events: DataplaneEvent[] = [];
  nowMs = 1000;
  readonly #buffer = new Uint8Array(80_000);

  constructor(options: Omit<DataplaneOptions, "emit" | "onEvent"> = {}) {
    this.plane = new Dataplane({
      ...options,
      emit: (swIfIndex, buffer, offset, length) => {
        const bytes = buffer.slice(offset, offset + length);
        const ethernet = parseEthernet(bytes.subarray(VNET_HEADER_LENGTH));
        if (ethernet === undefined) {
          throw new Error("Cannot read an emitted frame: it is too short");
        }
        const isArp = ethernet.etherType === EtherType.ARP;
        this.sent.push({
          swIfIndex,
          bytes,
          ethernet,
          ip: isArp ? undefined : parseIp(ethernet.payload),
          arp: isArp ? parseArp(ethernet.payload) : undefined,
        });
      },
      onEvent: (event) => this.events.push(event),
    });
  }

  /** An interface, up, with addresses. */
  add(
    name: string,
    mac: string,
    addresses: readonly string[],
    kind: InterfaceKind = "memory",
    segmentsUdp = true,
  ): number {
    const ethernet = MacAddress.parse(mac);
    const swIfIndex = this.plane.createInterface({ kind, name, mac: ethernet, segmentsUdp });
    this.plane.setFlags(swIfIndex, true);
    for (const address of addresses) {
      this.plane.addDelAddress(swIfIndex, true, false, IpPrefix.parse(address));
    }
    return swIfIndex;
  }

  neighbor(swIfIndex: number, address: string, mac: string): void {
    this.plane.addDelNeighbor({
      swIfIndex,
      address: IpAddress.parse(address),
      mac: MacAddress.parse(mac),
      isStatic: true,
      noFibEntry: false,
    }, true);
  }

  route(
    prefix: string,
    paths: readonly Partial<RoutePath>[],
    change: Partial<RouteChange> = {},
  ): { retval: number; statsIndex: number } {
    return this.plane.addDelRoute(routeChange(prefix, paths, change));
  }

  /** A route over an interface, to a next hop: the destination itself, if not said. */
  via(to: string, swIfIndex: number, nextHop = to): void {
    const prefix = to.includes("/") ? to : String(IpPrefix.host(IpAddress.parse(to)));
    this.route(prefix, [{ swIfIndex, nextHop: IpAddress.parse(nextHop) }]);
  }

  /** Takes a frame without a virtio-net header, and gives what it caused to leave. */
  receive(swIfIndex: number, frame: Uint8Array): Sent[] {
    return this.receiveVnet(swIfIndex, vnetFrame(frame));
  }

  /** Takes a frame with its virtio-net header, at an odd place in a larger buffer. */
  receiveVnet(swIfIndex: number, frame: Uint8Array): Sent[] {
    return this.receiveBatch(swIfIndex, [frame]);
  }

  /** Takes frames with their virtio-net headers that a port has received at once. */
  receiveBatch(swIfIndex: number, frames: readonly Uint8Array[]): Sent[] {
    this.sent.length = 0;
    const buffer = this.#buffer;
    for (const frame of frames) {
      const end = ODD_PLACE + frame.length;
      buffer.fill(MARK, 0, ODD_PLACE);
      buffer.set(frame, ODD_PLACE);
      buffer.fill(MARK, end, end + GUARD);
      this.plane.process(buffer, ODD_PLACE, frame.length, swIfIndex, this.nowMs++);
      for (let i = 0; i < GUARD; i++) {
        if (buffer[end + i] !== MARK || i < ODD_PLACE - TUNNEL_ROOM && buffer[i] !== MARK) {
          throw new RangeError("The frame was left: an octet beside it and its room was written");
        }
      }
    }
    this.plane.flush();
    return [...this.sent];
  }

  /** Takes an IP packet from a host on the link. */
  receiveIp(swIfIndex: number, source: string, payload: Uint8Array): Sent[] {
    const destination = this.plane.interface(swIfIndex)!.mac;
    return this.receive(swIfIndex, ethernetFrame({ source, destination, payload }));
  }

  /** Takes an ARP packet, broadcast unless said otherwise. */
  receiveArp(
    swIfIndex: number,
    arp: Parameters<typeof arpPacket>[0],
    destination = "ff:ff:ff:ff:ff:ff",
  ): Sent[] {
    const frame = ethernetFrame({
      source: arp.senderMac,
      destination,
      etherType: EtherType.ARP,
      payload: arpPacket(arp),
    });
    return this.receive(swIfIndex, frame);
  }

  /** How often a node counted a reason. */
  count(name: string): number {
    for (const { node, reason, count } of this.plane.errors()) {
      if (`${node}: ${reason}` === name) return count;
    }
    return 0;
  }
}

/** A route of the API with what is not said defaulted. */
export function routeChange(
  prefix: string,
  paths: readonly Partial<RoutePath>[],
  change: Partial<RouteChange> = {},
): RouteChange {
  const parsed = IpPrefix.parse(prefix);
  const proto = parsed.family === 4 ? PathProto.IP4 : PathProto.IP6;
  return {
    isAdd: true,
    isMultipath: false,
    tableId: 0,
    prefix: parsed,
    src: 0,
    paths: paths.map((path) => makePath({ proto, swIfIndex: NONE, ...path })),
    ...change,
  };
}
