import type { ClusterConfig } from "@contiv/model";
import { type Family, IpAddress, IpPrefix, MacAddress } from "@contiv/net";
import type { NamespaceRef } from "../attachments/attachment.ts";
import {
  HOST_LINK,
  type LinuxAddress,
  linuxAddressKey,
  type LinuxLink,
  linuxLinkKey,
  type LinuxNeighbour,
  linuxNeighbourKey,
  type LinuxRoute,
  linuxRouteKey,
  type LinuxSysctl,
  linuxSysctlKey,
  podTag,
  type VppAddress,
  vppAddressKey,
  type VppCnat,
  vppCnatKey,
  type VppInterface,
  vppInterfaceKey,
  type VppInterfaceState,
  vppInterfaceStateKey,
  type VppNeighbour,
  vppNeighbourKey,
  type VppRoute,
  vppRouteKey,
} from "../items/mod.ts";
import { hostAddress, type NodeMtu, type NodeNetwork } from "../network/mod.ts";
import type { Item } from "../reconciler/api.ts";
import { SNAT_REQUIRES } from "./outside.ts";

/** Metric of the host's way out through VPP: whatever else it has goes before. */
const LAST_RESORT = 5_000;
/** The host's device towards VPP. */
export const HOST_DEVICE = "vpp1";
const HOST_MAC = MacAddress.fromIdentity("contiv host");
const VPP_MAC = MacAddress.fromIdentity("contiv host link");
const IP6_PARAMETERS = {
  disable_ipv6: "0",
  accept_ra: "0",
  autoconf: "0",
  accept_dad: "0",
} as const;

/**
 * The link between VPP and the host: `vpp1` in the host's namespace, with routes to pods and
 * services through it, and in VPP routes to the host's addresses.
 *
 * @param netns the host's namespace
 * @param translates whether sources are translated, and cnat is to leave the host's alone
 * @param outside families in which VPP knows a way out, for a host that has none of its own
 */
export function renderHost(
  self: NodeNetwork,
  config: ClusterConfig,
  mtu: NodeMtu,
  netns: NamespaceRef,
  translates: boolean,
  outside: readonly Family[] = [],
): Item[] {
  const owner = "host";
  const link = vppInterfaceKey(HOST_LINK);
  const device = linuxLinkKey(HOST_LINK, HOST_DEVICE);
  const where = { netns, device: { name: HOST_DEVICE, mac: HOST_MAC } };
  const hasIp6 = self.hostLink.some(({ prefix }) => prefix.family === 6);
  const items: Item[] = [
    {
      key: link,
      value: {
        tag: podTag(HOST_LINK, owner),
        netns,
        hostIfName: HOST_DEVICE,
        hostMac: HOST_MAC,
        mac: VPP_MAC,
        mtu: mtu.pod,
      } satisfies VppInterface,
      requires: [],
      owner,
    },
    {
      key: vppInterfaceStateKey(HOST_LINK),
      value: { interface: link, mtu: mtu.pod } satisfies VppInterfaceState,
      requires: [link],
      owner,
    },
    {
      key: device,
      value: { ...where, mtu: mtu.pod, leaves: translates } satisfies LinuxLink,
      requires: hasIp6 ? [linuxSysctlKey(HOST_LINK)] : [],
      owner,
    },
  ];
  if (hasIp6) {
    items.push({
      key: linuxSysctlKey(HOST_LINK),
      value: { ...where, values: IP6_PARAMETERS } satisfies LinuxSysctl,
      requires: [],
      owner,
    });
  }
  if (translates) {
    items.push({
      key: vppCnatKey(HOST_LINK),
      value: { interface: link, role: "host" } satisfies VppCnat,
      requires: [link, ...SNAT_REQUIRES],
      owner,
    });
  }
  for (const layout of self.hostLink) {
    const { gateway } = layout;
    const host = hostAddress(layout);
    const { family } = host;
    const own = IpPrefix.of(gateway, layout.prefix.length);
    const hostPrefix = IpPrefix.of(host, layout.prefix.length);
    items.push(
      {
        key: vppAddressKey(own),
        value: { interface: link, prefix: own } satisfies VppAddress,
        requires: [link],
        owner,
      },
      {
        key: vppNeighbourKey(HOST_LINK, host),
        value: { interface: link, address: host, mac: HOST_MAC } satisfies VppNeighbour,
        requires: [link],
        owner,
      },
      {
        key: linuxAddressKey(HOST_LINK, hostPrefix),
        value: { ...where, prefix: hostPrefix } satisfies LinuxAddress,
        requires: [device],
        owner,
      },
      {
        key: linuxNeighbourKey(HOST_LINK, gateway),
        value: { ...where, address: gateway, mac: VPP_MAC } satisfies LinuxNeighbour,
        // VPP sets the device's MAC address when it attaches, and the kernel then forgets neighbours.
        requires: [device, link],
        owner,
      },
    );
    for (const destination of throughVpp(config).filter((each) => each.family === family)) {
      items.push({
        key: linuxRouteKey(HOST_LINK, destination),
        value: { ...where, destination, gateway } satisfies LinuxRoute,
        requires: [device, linuxAddressKey(HOST_LINK, hostPrefix)],
        owner,
      });
    }
    if (outside.includes(family)) {
      const destination = IpPrefix.of(IpAddress.fromBigInt(family, 0n), 0);
      items.push({
        key: linuxRouteKey(HOST_LINK, destination),
        value: { ...where, destination, gateway, metric: LAST_RESORT } satisfies LinuxRoute,
        requires: [device, linuxAddressKey(HOST_LINK, hostPrefix)],
        owner,
      });
    }
    for (const address of self.internal) {
      const isUplinks = self.uplink.some((each) => each.equals(address));
      if (address.family !== family || isUplinks) continue;
      const prefix = IpPrefix.host(address);
      items.push({
        key: vppRouteKey(prefix),
        value: { prefix, path: { interface: link, nextHop: host } } satisfies VppRoute,
        requires: [link],
        owner,
      });
    }
  }
  return items;
}

/** What the host reaches through VPP: all pods, services, and other nodes' hosts. */
function throughVpp({ pods, hosts, services }: ClusterConfig): IpPrefix[] {
  return [...pods.map(({ subnet }) => subnet), ...services, ...hosts.map(({ subnet }) => subnet)];
}
