import { IpPrefix, MacAddress } from "@contiv/net";
import {
  GATEWAY_LOOPBACK_KEY,
  type VppAddress,
  vppAddressKey,
  type VppLoopback,
  type VppRoute,
  vppRouteKey,
} from "../items/mod.ts";
import type { NodePrefix } from "../ipam/mod.ts";
import type { Item } from "../reconciler/api.ts";

/**
 * MAC address of VPP's end of every container's interface, and of the gateway loopback. One for
 * all: the links are point to point, and a container's static neighbour never has to change.
 */
export const GATEWAY_MAC: MacAddress = MacAddress.fromIdentity("contiv gateway");

/** High enough to stay clear of loopbacks that people make, which VPP numbers from 0. */
const GATEWAY_INSTANCE = 4242;

/**
 * The node's gateway: a loopback with the gateway addresses, which containers' interfaces borrow,
 * and for each node prefix a route that answers "unreachable" for what no container has.
 *
 * @param layouts the node's pod prefixes, at most one per family
 */
export function renderGateway(layouts: readonly NodePrefix[]): Item[] {
  const owner = "gateway";
  const loopback: Item<VppLoopback> = {
    key: GATEWAY_LOOPBACK_KEY,
    value: { instance: GATEWAY_INSTANCE, mac: GATEWAY_MAC, tag: "contiv:gateway" },
    requires: [],
    owner,
  };
  const items: Item[] = [loopback];
  for (const layout of layouts) {
    const address = IpPrefix.host(layout.gateway);
    const prefix = layout.prefix.network();
    items.push(
      {
        key: vppAddressKey(address),
        value: { interface: loopback.key, prefix: address } satisfies VppAddress,
        requires: [loopback.key],
        owner,
      },
      {
        key: vppRouteKey(prefix),
        value: { prefix, path: "unreachable" } satisfies VppRoute,
        requires: [],
        owner,
      },
    );
  }
  return items;
}
