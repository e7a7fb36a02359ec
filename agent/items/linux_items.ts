import type { IpAddress, IpPrefix, MacAddress } from "@contiv/net";
import type { NamespaceRef } from "../attachments/attachment.ts";

/** What all items in a container's namespace have: where they are. */
export interface InNamespace {
  readonly netns: NamespaceRef;
  readonly device: DeviceRef;
}

/**
 * A device by its name and, except for `lo`, its MAC address, which only the attachment's own device
 * has: what is done in a namespace never hits another attachment's, whatever became of the path.
 */
export interface DeviceRef {
  readonly name: string;
  readonly mac?: MacAddress;
}

/** A device that is up. Made by others; this sets it right. Kind `linux-link`. */
export interface LinuxLink extends InNamespace {
  /** Left as it is if absent. */
  readonly mtu?: number;
  /** Whether what is sent by it may leave the node. Left as it is if absent. */
  readonly leaves?: boolean;
}

/** Kernel parameters of a device, by their name below `net/ipv6/conf/<device>`. Kind `linux-sysctl`. */
export interface LinuxSysctl extends InNamespace {
  readonly values: Readonly<Record<string, string>>;
}

/** An address, an IPv6 one without duplicate address detection. Kind `linux-address`. */
export interface LinuxAddress extends InNamespace {
  readonly prefix: IpPrefix;
}

/** A permanent neighbour. Kind `linux-neighbour`. */
export interface LinuxNeighbour extends InNamespace {
  readonly address: IpAddress;
  readonly mac: MacAddress;
}

/** A route in the main table. Kind `linux-route`. */
export interface LinuxRoute extends InNamespace {
  readonly destination: IpPrefix;
  /** Absent: the destination is on the link. */
  readonly gateway?: IpAddress;
  /** The kernel's default metric if absent: 0 for IPv4, 1024 for IPv6. */
  readonly metric?: number;
}

/**
 * That what an address sends leaves by its own device, whatever the main table says: VPP takes it
 * from no other. A routing rule and a table with a default route. Kind `linux-source-route`.
 */
export interface LinuxSourceRoute extends InNamespace {
  readonly address: IpAddress;
  readonly gateway: IpAddress;
  /** Number of the table, and priority of the rule. */
  readonly table: number;
}

export function linuxLinkKey(attachmentId: string, device: string): string {
  return `linux-link/${attachmentId}/${device}`;
}

export function linuxSysctlKey(attachmentId: string): string {
  return `linux-sysctl/${attachmentId}`;
}

export function linuxAddressKey(attachmentId: string, prefix: IpPrefix): string {
  return `linux-address/${attachmentId}/${prefix}`;
}

export function linuxNeighbourKey(attachmentId: string, address: IpAddress): string {
  return `linux-neighbour/${attachmentId}/${address}`;
}

export function linuxRouteKey(attachmentId: string, destination: IpPrefix): string {
  return `linux-route/${attachmentId}/${destination}`;
}

export function linuxSourceRouteKey(attachmentId: string, address: IpAddress): string {
  return `linux-source-route/${attachmentId}/${address}`;
}
