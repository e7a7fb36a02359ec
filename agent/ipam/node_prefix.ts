import { type IpAddress, IpPrefix } from "@contiv/net";
import { IpamError } from "./error.ts";

/** Addresses of a prefix that no pod gets: network, gateway, service loopback, broadcast. */
const SET_ASIDE = 4n;

/**
 * The layout of one node's pod prefix of one family: first address the gateway, last unicast
 * address the service loopback, pods in between. The prefix's very first and very last address stay
 * unused: network and broadcast in IPv4, the subnet-router anycast address (RFC 4291, 2.6.1) and,
 * for the sake of one rule, the last one in IPv6.
 */
export class NodePrefix {
  readonly prefix: IpPrefix;
  readonly gateway: IpAddress;
  /** Source of traffic that a pod sends to itself through its own service; never a pod's. */
  readonly serviceLoopback: IpAddress;
  readonly firstPod: IpAddress;
  readonly lastPod: IpAddress;
  /** Addresses for pods. */
  readonly capacity: bigint;

  private constructor(prefix: IpPrefix) {
    this.prefix = prefix;
    this.gateway = prefix.first.add(1n);
    this.serviceLoopback = prefix.last.add(-1n);
    this.firstPod = this.gateway.add(1n);
    this.lastPod = this.serviceLoopback.add(-1n);
    this.capacity = prefix.size - SET_ASIDE;
  }

  /**
   * The layout of a prefix that was given to the node, such as its podCIDR.
   * @throws {IpamError} BAD_PREFIX if it leaves no pod an address, or has host bits set
   */
  static of(prefix: IpPrefix): NodePrefix {
    requireNetwork(prefix);
    if (prefix.size <= SET_ASIDE) {
      throw new IpamError(
        "BAD_PREFIX",
        `Cannot give pods addresses of ${prefix}: it has ${prefix.size}, ` +
          `wanted more than ${SET_ASIDE} (a /${prefix.bits - 3} or shorter)`,
      );
    }
    return new NodePrefix(prefix);
  }

  /**
   * The prefix of the node with this ID out of the cluster's pod subnet.
   *
   * @param length of the node's prefix
   * @param nodeId from 1 to the number of such prefixes; that last one takes the subnet's first
   *   part, where ID 0 would be
   * @throws {IpamError} BAD_NODE_ID, BAD_PREFIX
   */
  static ofNode(podSubnet: IpPrefix, length: number, nodeId: number): NodePrefix {
    requireNetwork(podSubnet);
    if (!Number.isInteger(length) || length < podSubnet.length || length > podSubnet.bits) {
      throw new IpamError(
        "BAD_PREFIX",
        `Cannot divide ${podSubnet} among nodes: prefix length ${length} per node, ` +
          `wanted ${podSubnet.length} to ${podSubnet.bits}`,
      );
    }
    const nodes = 1n << BigInt(length - podSubnet.length);
    if (!Number.isSafeInteger(nodeId) || nodeId < 1 || BigInt(nodeId) > nodes) {
      throw new IpamError(
        "BAD_NODE_ID",
        `Cannot give node ${nodeId} a /${length} of ${podSubnet}: ` +
          `there are ${nodes}, wanted a node ID from 1 to ${nodes}`,
      );
    }
    const index = BigInt(nodeId) % nodes;
    const start = podSubnet.first.add(index << BigInt(podSubnet.bits - length));
    return NodePrefix.of(IpPrefix.of(start, length));
  }

  /** Whether an address is one that a pod may have. */
  isPodAddress(address: IpAddress): boolean {
    return this.prefix.contains(address) && compare(address, this.firstPod) >= 0 &&
      compare(address, this.lastPod) <= 0;
  }
}

/** Below, equal or above zero, as `a` comes before, is or comes after `b`. One family. */
function compare(a: IpAddress, b: IpAddress): number {
  for (const [i, byte] of a.bytes.entries()) {
    const difference = byte - (b.bytes[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function requireNetwork(prefix: IpPrefix): void {
  const network = prefix.network();
  if (prefix.equals(network)) return;
  throw new IpamError(
    "BAD_PREFIX",
    `Cannot take addresses from ${prefix}: host bits are set, wanted ${network}`,
  );
}
