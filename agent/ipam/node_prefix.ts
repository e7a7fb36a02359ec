import type { IpAddress, IpPrefix } from "@contiv/net";

/**
 * The layout of one node's pod prefix of one family: first address the gateway, last unicast
 * address the service loopback, the first and last of all unused, pods in between.
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

  private constructor(_prefix: IpPrefix) {
    throw new Error("unwritten");
  }

  /**
   * The layout of a prefix that was given to the node, such as its podCIDR.
   * @throws {IpamError} BAD_PREFIX if it leaves no pod an address
   */
  static of(_prefix: IpPrefix): NodePrefix {
    throw new Error("unwritten");
  }

  /**
   * The prefix of the node with this ID out of the cluster's pod subnet.
   *
   * @param nodeId from 1; the highest takes the first part of the subnet, where ID 0 would be
   * @throws {IpamError} BAD_NODE_ID, BAD_PREFIX
   */
  static ofNode(_podSubnet: IpPrefix, _length: number, _nodeId: number): NodePrefix {
    throw new Error("unwritten");
  }

  /** Whether an address is one that a pod may have. */
  isPodAddress(_address: IpAddress): boolean {
    throw new Error("unwritten");
  }
}
