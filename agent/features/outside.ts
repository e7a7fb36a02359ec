import type { ClusterConfig } from "@contiv/model";
import { IpAddress, IpPrefix, type MacAddress } from "@contiv/net";
import type { NamespaceRef } from "../attachments/attachment.ts";
import {
  attachmentOfInterfaceKey,
  GATEWAY_LOOPBACK_KEY,
  type LinuxLink,
  linuxLinkKey,
  type LinuxSysctl,
  linuxSysctlKey,
  OVERLAY,
  OVERLAY_LOOPBACK_KEY,
  SNAT_KEY,
  UPLINK_KEY,
  type VppAddress,
  vppAddressKey,
  type VppCnat,
  vppCnatKey,
  type VppInterfaceState,
  vppInterfaceStateKey,
  type VppRoute,
  vppRouteKey,
  type VppSnat,
  type VppSnatExclusion,
  vppSnatExclusionKey,
  type VppUplink,
} from "../items/mod.ts";
import type { NodeMtu, NodeNetwork } from "../network/mod.ts";
import type { Item } from "../reconciler/api.ts";

/** What cnat's items on an interface require: tables are refused before there are addresses. */
export const SNAT_REQUIRES: readonly string[] = [SNAT_KEY];

/** The uplink as the node has it. */
export interface Uplink {
  readonly device: string;
  readonly mac: MacAddress;
  readonly netns: NamespaceRef;
  /** With the lengths of their subnets; the first of a family is whose name pods speak under. */
  readonly addresses: readonly IpPrefix[];
  /** Next hops of default routes, at most one per family. */
  readonly gateways: readonly IpAddress[];
}

/**
 * The way out of the cluster: the uplink with its addresses and default routes, and the translation
 * of sources of what leaves by it, and of nothing else.
 */
export function renderOutside(uplink: Uplink, config: ClusterConfig, mtu: NodeMtu): Item[] {
  const owner = "outside";
  const items: Item[] = [
    {
      key: UPLINK_KEY,
      value: {
        tag: "contiv:uplink",
        hostIfName: uplink.device,
        mac: uplink.mac,
      } satisfies VppUplink,
      // A device that is down gives VPP nothing.
      requires: [linuxLinkKey("uplink", uplink.device)],
      owner,
    },
    {
      key: linuxLinkKey("uplink", uplink.device),
      value: {
        netns: uplink.netns,
        device: { name: uplink.device, mac: uplink.mac },
      } satisfies LinuxLink,
      requires: [linuxSysctlKey("uplink")],
      owner,
    },
    {
      key: linuxSysctlKey("uplink"),
      value: {
        netns: uplink.netns,
        device: { name: uplink.device, mac: uplink.mac },
        // The kernel would answer for the link-local address that VPP has as well.
        values: { disable_ipv6: "1" },
      } satisfies LinuxSysctl,
      requires: [],
      owner,
    },
    {
      key: vppInterfaceStateKey(attachmentOfInterfaceKey(UPLINK_KEY)),
      value: { interface: UPLINK_KEY, mtu: mtu.uplink } satisfies VppInterfaceState,
      requires: [UPLINK_KEY],
      owner,
    },
  ];
  for (const prefix of uplink.addresses) {
    items.push({
      key: vppAddressKey(prefix),
      value: { interface: UPLINK_KEY, prefix } satisfies VppAddress,
      requires: [UPLINK_KEY],
      owner,
    });
  }
  for (const gateway of uplink.gateways) {
    const prefix = IpPrefix.of(IpAddress.fromBigInt(gateway.family, 0n), 0);
    items.push({
      key: vppRouteKey(prefix),
      value: { prefix, path: { interface: UPLINK_KEY, nextHop: gateway } } satisfies VppRoute,
      requires: [UPLINK_KEY],
      owner,
    });
  }
  return [...items, ...renderSnat(uplink, config)];
}

function renderSnat(uplink: Uplink, config: ClusterConfig): Item[] {
  const owner = "outside";
  const address = (family: 4 | 6): IpAddress | undefined =>
    uplink.addresses.find((each) => each.family === family)?.address;
  const roles: (readonly [link: string, role: VppCnat["role"]])[] = [[UPLINK_KEY, "uplink"]];
  if (config.transport === "vxlan") roles.push([OVERLAY_LOOPBACK_KEY, "overlay"]);
  return [
    {
      key: SNAT_KEY,
      value: {
        ip4: address(4),
        ip6: address(6),
        keeper: GATEWAY_LOOPBACK_KEY,
      } satisfies VppSnat,
      requires: [GATEWAY_LOOPBACK_KEY],
      owner,
    },
    ...roles.map(([link, role]) => ({
      key: vppCnatKey(link === OVERLAY_LOOPBACK_KEY ? OVERLAY : attachmentOfInterfaceKey(link)),
      value: { interface: link, role } satisfies VppCnat,
      requires: [link, ...SNAT_REQUIRES],
      owner,
    })),
    ...clusterPrefixes(uplink, config).map((prefix) => exclusion(prefix, owner)),
  ];
}

/** Destinations inside the cluster that all nodes share. */
function clusterPrefixes(uplink: Uplink, config: ClusterConfig): IpPrefix[] {
  const prefixes = [
    ...config.pods.map(({ subnet }) => subnet),
    ...config.hosts.map(({ subnet }) => subnet),
    ...config.overlay,
    ...config.services,
  ];
  // The part of the interconnect that nodes have: other nodes are asked under pods' own addresses.
  const own = config.interconnect.filter((subnet) =>
    uplink.addresses.some(({ address }) => subnet.contains(address))
  );
  return [...prefixes, ...own];
}

/** A node's own addresses, which pods reach under theirs. */
export function renderNodeExclusions(node: NodeNetwork): Item[] {
  const addresses = [...node.uplink, ...node.internal].map((each) => IpPrefix.host(each));
  const distinct = new Map(addresses.map((prefix) => [String(prefix), prefix]));
  return [...distinct.values()].map((prefix) => exclusion(prefix, `node ${node.name}`));
}

function exclusion(prefix: IpPrefix, owner: string): Item<VppSnatExclusion> {
  return { key: vppSnatExclusionKey(prefix), value: { prefix }, requires: SNAT_REQUIRES, owner };
}
