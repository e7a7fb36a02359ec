import { IpAddress, IpPrefix, MacAddress } from "@contiv/net";
import { type Attachment, describeAttachment } from "../attachments/attachment.ts";
import type { NodePrefix } from "../ipam/mod.ts";
import {
  GATEWAY_LOOPBACK_KEY,
  type LinuxAddress,
  linuxAddressKey,
  type LinuxLink,
  linuxLinkKey,
  type LinuxNeighbour,
  linuxNeighbourKey,
  type LinuxRoute,
  linuxRouteKey,
  type LinuxSourceRoute,
  linuxSourceRouteKey,
  type LinuxSysctl,
  linuxSysctlKey,
  podTag,
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
  type VppSenderCheck,
  vppSenderCheckKey,
  type VppSenderList,
  vppSenderListKey,
  type VppSourceCheck,
  vppSourceCheckKey,
  type VppUnnumbered,
  vppUnnumberedKey,
} from "../items/mod.ts";
import type { Item } from "../reconciler/api.ts";
import { GATEWAY_MAC } from "./gateway.ts";
import { SNAT_REQUIRES } from "./outside.ts";

/** Metric of the default route of a namespace's second attachment, over the kernel's default. */
const METRIC_STEP = 100;
/** Routing table of what a namespace's second attachment sends, less one. */
const SOURCE_TABLE = 4_200;
/** IP6_RT_PRIO_USER (linux/ipv6_route.h): what the kernel takes for metric 0. */
const IP6_DEFAULT_METRIC = 1024;

/**
 * What IPv6 needs on a container's device: on, without autoconfiguration, which routers on a link
 * of two cannot have meant, and without duplicate address detection, which would make the
 * link-local address wait.
 */
const IP6_PARAMETERS = {
  disable_ipv6: "0",
  accept_ra: "0",
  autoconf: "0",
  accept_dad: "0",
} as const;

/**
 * The items of one attachment: VPP's interface with the container's device, forwarding to it in
 * VPP, and addresses, neighbours and routes in the container's namespace. Addresses and routes do not
 * require VPP's interface: their descriptors wait for the device, which outlives VPP.
 *
 * @param layouts the node's pod prefixes, which have the gateway addresses
 * @param translates whether packets leave the node, and the sources of what leaves the cluster are translated
 */
export function renderAttachment(
  attachment: Attachment,
  layouts: readonly NodePrefix[],
  translates = false,
): Item[] {
  const { id, netns, mtu, rank } = attachment;
  const owner = describeAttachment(attachment);
  const mac = MacAddress.parse(attachment.mac);
  const addresses = attachment.addresses.map((text) => IpAddress.parse(text));
  const hasIp6 = addresses.some((address) => address.family === 6);
  const where = { netns, device: { name: attachment.ifname, mac } };

  const interfaceKey = vppInterfaceKey(id);
  const linkKey = linuxLinkKey(id, attachment.ifname);
  const items: Item[] = [
    {
      key: interfaceKey,
      value: {
        tag: podTag(id, owner),
        netns,
        hostIfName: attachment.ifname,
        hostMac: mac,
        mac: GATEWAY_MAC,
        mtu,
      } satisfies VppInterface,
      requires: [],
      owner,
    },
    {
      key: vppInterfaceStateKey(id),
      value: { interface: interfaceKey, mtu } satisfies VppInterfaceState,
      requires: [interfaceKey],
      owner,
    },
    {
      key: vppUnnumberedKey(id),
      value: { interface: interfaceKey, lender: GATEWAY_LOOPBACK_KEY } satisfies VppUnnumbered,
      requires: [
        interfaceKey,
        GATEWAY_LOOPBACK_KEY,
        ...layouts.map(({ gateway }) => vppAddressKey(IpPrefix.host(gateway))),
      ],
      owner,
    },
    {
      key: vppSourceCheckKey(id),
      value: { interface: interfaceKey } satisfies VppSourceCheck,
      requires: [interfaceKey],
      owner,
    },
    {
      key: vppSenderListKey(id),
      value: { tag: podTag(id, owner), mac, addresses } satisfies VppSenderList,
      requires: [],
      owner,
    },
    {
      key: vppSenderCheckKey(id),
      value: { interface: interfaceKey, list: vppSenderListKey(id) } satisfies VppSenderCheck,
      requires: [interfaceKey, vppSenderListKey(id)],
      owner,
    },
    {
      key: linuxLinkKey(id, "lo"),
      value: { netns, device: { name: "lo" } } satisfies LinuxLink,
      requires: [],
      owner,
    },
    {
      key: linkKey,
      value: { ...where, mtu, leaves: translates } satisfies LinuxLink,
      requires: hasIp6 ? [linuxSysctlKey(id)] : [],
      owner,
    },
  ];
  if (hasIp6) {
    items.push({
      key: linuxSysctlKey(id),
      value: { ...where, values: IP6_PARAMETERS } satisfies LinuxSysctl,
      requires: [],
      owner,
    });
  }
  if (translates) {
    items.push({
      key: vppCnatKey(id),
      value: { interface: interfaceKey, role: "pod" } satisfies VppCnat,
      requires: [interfaceKey, ...SNAT_REQUIRES],
      owner,
    });
  }
  for (const address of addresses) {
    const layout = layouts.find((each) => each.prefix.family === address.family);
    if (layout === undefined) continue;
    const { gateway } = layout;
    const prefix = IpPrefix.host(address);
    const everything = IpPrefix.of(IpAddress.fromBigInt(address.family, 0n), 0);
    const toGateway = IpPrefix.host(gateway);
    items.push(
      {
        key: vppNeighbourKey(id, address),
        value: { interface: interfaceKey, address, mac } satisfies VppNeighbour,
        requires: [interfaceKey],
        owner,
      },
      {
        key: vppRouteKey(prefix),
        value: { prefix, path: { interface: interfaceKey, nextHop: address } } satisfies VppRoute,
        requires: [interfaceKey],
        owner,
      },
      {
        key: linuxAddressKey(id, prefix),
        value: { ...where, prefix } satisfies LinuxAddress,
        requires: [linkKey],
        owner,
      },
      {
        key: linuxNeighbourKey(id, gateway),
        value: { ...where, address: gateway, mac: GATEWAY_MAC } satisfies LinuxNeighbour,
        // VPP sets the device's MAC address when it attaches, and the kernel then forgets neighbours.
        requires: [linkKey, interfaceKey],
        owner,
      },
      {
        key: linuxRouteKey(id, toGateway),
        value: {
          ...where,
          destination: toGateway,
          ...metricOf(address, rank),
        } satisfies LinuxRoute,
        requires: [linkKey, linuxAddressKey(id, prefix)],
        owner,
      },
      {
        key: linuxRouteKey(id, everything),
        value: {
          ...where,
          destination: everything,
          gateway,
          ...metricOf(address, rank),
        } satisfies LinuxRoute,
        requires: [linuxRouteKey(id, toGateway)],
        owner,
      },
    );
    if (rank > 0) {
      items.push({
        key: linuxSourceRouteKey(id, address),
        value: {
          ...where,
          address,
          gateway,
          table: SOURCE_TABLE + rank,
        } satisfies LinuxSourceRoute,
        requires: [linkKey, linuxAddressKey(id, prefix)],
        owner,
      });
    }
  }
  return items;
}

/** A namespace's first attachment has the kernel's default metric, each further one a worse one. */
function metricOf(address: IpAddress, rank: number): { readonly metric?: number } {
  if (rank === 0) return {};
  return { metric: (address.family === 6 ? IP6_DEFAULT_METRIC : 0) + rank * METRIC_STEP };
}
