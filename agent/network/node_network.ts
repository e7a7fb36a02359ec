import { type ClusterConfig, sharedAddress } from "@contiv/model";
import type { Family, IpAddress, IpPrefix } from "@contiv/net";
import { NodePrefix } from "../ipam/mod.ts";

/** What a node says about itself, and what follows from its ID. */
export interface NodeNetwork {
  readonly name: string;
  readonly id: number;
  /** Its pods', at most one per family, IPv4 first; as all of these. */
  readonly pods: readonly NodePrefix[];
  /** The link between VPP and the host: VPP has the gateway address, the host the first after. */
  readonly hostLink: readonly NodePrefix[];
  /** Its address in the bridge domain that joins nodes, with the subnet's length. */
  readonly overlay: readonly IpPrefix[];
  /** Its uplink's addresses; tunnels end at the one of the underlay's family. */
  readonly uplink: readonly IpAddress[];
  /** Addresses by which Kubernetes knows it. */
  readonly internal: readonly IpAddress[];
}

/** What is known of a node beyond its ID. */
export interface NodeFacts {
  readonly name: string;
  readonly id: number;
  /** Given by Kubernetes' node controller; empty: by the ID. */
  readonly podCidrs: readonly IpPrefix[];
  readonly uplink: readonly IpAddress[];
  readonly internal: readonly IpAddress[];
}

/**
 * A node's place in the cluster.
 * @throws {IpamError} BAD_NODE_ID, BAD_PREFIX if it has none
 */
export function nodeNetwork(config: ClusterConfig, facts: NodeFacts): NodeNetwork {
  const { id, name, podCidrs, uplink, internal } = facts;
  const part = ({ subnet, nodeLength }: ClusterConfig["pods"][number]): NodePrefix =>
    NodePrefix.ofNode(subnet, nodeLength, id);
  const pods = podCidrs.length > 0
    ? podCidrs.map((each) => NodePrefix.of(each))
    : config.pods.map(part);
  return {
    name,
    id,
    pods: pods.toSorted((a, b) => a.prefix.family - b.prefix.family),
    hostLink: config.hosts.map(part),
    overlay: config.overlay.map((subnet) => sharedAddress(subnet, id)),
    uplink,
    internal,
  };
}

/** The end of tunnels to a node: its uplink's address of the underlay's family. */
export function tunnelEnd(node: NodeNetwork, family: Family): IpAddress | undefined {
  return node.uplink.find((address) => address.family === family);
}

/** The host's address on its link with VPP. */
export function hostAddress(link: NodePrefix): IpAddress {
  return link.firstPod;
}
