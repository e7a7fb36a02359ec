import type { IpAddress, IpPrefix } from "@contiv/net";
import {
  address,
  integer,
  list,
  name,
  object,
  oneOf,
  prefix,
  type Shape,
  text,
} from "./_codecs.ts";

/** A node's place in the network, as its agent tells it. */
export interface VswitchNode {
  readonly name: string;
  readonly id: number;
  /** How packets leave for other nodes. */
  readonly transport: "vxlan" | "none";
  /** The host's device that VPP took as its uplink; empty if there is none. */
  readonly device: string;
  /** Octets. */
  readonly uplinkMtu: number;
  /** Of pods and between nodes, octets. */
  readonly podMtu: number;
  readonly pods: readonly IpPrefix[];
  /** The host's own addresses on its link with VPP. */
  readonly host: readonly IpAddress[];
  /** In the bridge domain that joins nodes, with its length. */
  readonly overlay: readonly IpPrefix[];
  /** With their subnets' lengths. */
  readonly uplink: readonly IpPrefix[];
  readonly gateways: readonly IpAddress[];
  /** Path of the agent's status socket. */
  readonly statusSocket: string;
}

export const VSWITCH_NODE: Shape<VswitchNode, "name"> = object({
  id: integer(1, 0xffff),
  transport: oneOf(["vxlan", "none"], "vxlan"),
  device: text,
  uplinkMtu: integer(68, 65_535),
  podMtu: integer(68, 65_535),
  pods: list(prefix),
  host: list(address),
  overlay: list(prefix),
  uplink: list(prefix),
  gateways: list(address),
  statusSocket: name,
});
