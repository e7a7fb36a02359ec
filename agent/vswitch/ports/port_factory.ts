import type { IpAddress, IpPrefix, MacAddress } from "@contiv/net";
import type { Port } from "./port.ts";

/** The host's side of a TAP, as `tap_create_v3` asks for it. */
export interface TapSpec {
  /** Undefined lets the kernel choose. */
  readonly hostIfName: string | undefined;
  /** Path of a network namespace, or a name known to `ip netns`; undefined is our own. */
  readonly hostNamespace: string | undefined;
  /** Linux bridge in that namespace that takes the interface in. */
  readonly hostBridge: string | undefined;
  readonly hostMac: MacAddress;
  readonly hostMtu: number | undefined;
  readonly hostPrefixes: readonly IpPrefix[];
  /** Next hops of default routes. */
  readonly hostGateways: readonly IpAddress[];
  /** The interface outlives the switch. */
  readonly persist: boolean;
  /** Takes over the interface of that name, which an earlier switch left. */
  readonly attach: boolean;
  /** The host may send frames whose checksum is not filled in; with `gso`, also unsegmented. */
  readonly checksumOffload: boolean;
  readonly gso: boolean;
}

/** A TAP's port and what its host side became. */
export interface OpenTap {
  readonly port: Port;
  readonly hostIfName: string;
}

/** An existing interface of the host, as `af_packet_create_v3` asks for it. */
export interface PacketSpec {
  readonly hostIfName: string;
}

export interface OpenPacket {
  readonly port: Port;
  /** Whether it takes frames of many UDP datagrams (VIRTIO_NET_HDR_GSO_UDP_L4). */
  readonly segmentsUdp: boolean;
  readonly mtu: number;
}

/** Makes ports with what the machine has; or, in tests, without. */
export interface PortFactory {
  /**
   * Makes a TAP whole or not at all.
   * @throws {PortError} with VPP's return value
   */
  openTap(spec: TapSpec): Promise<OpenTap>;
  /**
   * Attaches to an interface, which is set up.
   * @throws {PortError} with VPP's return value
   */
  openPacket(spec: PacketSpec): Promise<OpenPacket>;
  /** Sets an attached interface of the host up or down, in the background and in order. */
  setHostLink(hostIfName: string, up: boolean): void;
  /** Undoes `persist` and closes: the TAP vanishes from the host, in the background. */
  removeTap(open: OpenTap): void;
}
