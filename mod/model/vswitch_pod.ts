import type { IpAddress } from "@contiv/net";
import {
  address,
  integer,
  list,
  name,
  object,
  oneOf,
  optional,
  type Shape,
  text,
} from "./_codecs.ts";

/** How far a pod's connection has come; see the agent's attachments. */
export const VSWITCH_POD_STATES = ["ready", "adding", "deleting"] as const;

/** The Kubernetes pod that a connection is of. */
export interface VswitchPodName {
  readonly namespace: string;
  readonly name: string;
  /** Empty where the runtime does not say. */
  readonly uid: string;
}

/** A pod's interface in the data plane. */
export interface VswitchInterface {
  /** VPP's `sw_if_index`; another one after VPP has restarted. */
  readonly index: number;
  /** The node's end of a veth pair; empty for a TAP. */
  readonly device: string;
}

/**
 * A connection of a pod with its node's data plane, as the node's agent tells it. With this the node
 * restores its own record after loss of its disk.
 */
export interface VswitchPod {
  readonly node: string;
  /** What names the connection on the node and tags it in the data plane. */
  readonly id: string;
  /** The name of the CNI network. */
  readonly network: string;
  readonly containerId: string;
  /** The device's name in the container. */
  readonly ifname: string;
  readonly state: typeof VSWITCH_POD_STATES[number];
  /** Where the container's network namespace was found, and its inode. */
  readonly netns: string;
  readonly inode: string;
  /** The kernel's boot ID: of another boot, nothing of this exists any more. */
  readonly boot: string;
  readonly addresses: readonly IpAddress[];
  readonly mac: string;
  /** Octets. */
  readonly mtu: number;
  /** 0 for the namespace's first connection, which has its default route. */
  readonly rank: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Absent where the runtime does not say. */
  readonly pod?: VswitchPodName;
  /** Absent while there is none. */
  readonly interface?: VswitchInterface;
}

export const VSWITCH_POD: Shape<VswitchPod, "node" | "id"> = object({
  network: name,
  containerId: name,
  ifname: name,
  state: oneOf(VSWITCH_POD_STATES, "ready"),
  netns: name,
  inode: name,
  boot: name,
  addresses: list(address),
  mac: name,
  mtu: integer(68, 65_535),
  rank: integer(0, 0xffff),
  createdAt: integer(0, Number.MAX_SAFE_INTEGER),
  pod: optional(object<VswitchPodName, never>({ namespace: name, name, uid: text })),
  interface: optional(
    object<VswitchInterface, never>({ index: integer(0, 0xffff_ffff), device: text }),
  ),
});
