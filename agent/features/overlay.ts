import type { ClusterConfig } from "@contiv/model";
import { type IpAddress, IpPrefix, MacAddress } from "@contiv/net";
import {
  BRIDGE_KEY,
  OVERLAY,
  OVERLAY_LOOPBACK_KEY,
  TUNNEL_TAG,
  UPLINK_KEY,
  type VppAddress,
  vppAddressKey,
  type VppBridge,
  type VppBridgeMac,
  vppBridgeMacKey,
  type VppBridgePort,
  vppBridgePortKey,
  type VppInterfaceState,
  vppInterfaceStateKey,
  type VppLoopback,
  type VppNeighbour,
  vppNeighbourKey,
  type VppRoute,
  vppRouteKey,
  type VppVxlan,
  vppVxlanKey,
} from "../items/mod.ts";
import { type NodeMtu, type NodeNetwork, tunnelEnd } from "../network/mod.ts";
import type { Item } from "../reconciler/api.ts";

/** Stays clear of loopbacks that people make, which VPP numbers from 0. */
const OVERLAY_INSTANCE = 4243;
/** Number of the bridge domain that joins nodes. */
const BRIDGE_ID = 4243;
/** Tunnels are of one split horizon group: none gives to another. */
const TUNNELS = 1;

/** The MAC address of a node in the bridge domain: its ID in it, so that no two are the same. */
export function overlayMac(nodeId: number): MacAddress {
  return MacAddress.from(
    Uint8Array.of(
      0x02,
      0xc0,
      nodeId >>> 24,
      nodeId >>> 16 & 0xff,
      nodeId >>> 8 & 0xff,
      nodeId & 0xff,
    ),
  );
}

/** This node's part of the overlay: a bridge domain and its own interface in it. */
export function renderOverlay(self: NodeNetwork, config: ClusterConfig, mtu: NodeMtu): Item[] {
  if (config.transport === "none") return [];
  const owner = "nodes";
  const items: Item[] = [
    {
      key: BRIDGE_KEY,
      value: { bdId: BRIDGE_ID, tag: "contiv:nodes" } satisfies VppBridge,
      requires: [],
      owner,
    },
    {
      key: OVERLAY_LOOPBACK_KEY,
      value: {
        instance: OVERLAY_INSTANCE,
        mac: overlayMac(self.id),
        tag: "contiv:overlay",
      } satisfies VppLoopback,
      requires: [],
      owner,
    },
    {
      key: vppInterfaceStateKey(OVERLAY),
      value: { interface: OVERLAY_LOOPBACK_KEY, mtu: mtu.pod } satisfies VppInterfaceState,
      requires: [OVERLAY_LOOPBACK_KEY],
      owner,
    },
    {
      key: vppBridgePortKey(OVERLAY),
      value: {
        interface: OVERLAY_LOOPBACK_KEY,
        bridge: BRIDGE_KEY,
        isBvi: true,
        group: 0,
      } satisfies VppBridgePort,
      requires: [OVERLAY_LOOPBACK_KEY, BRIDGE_KEY],
      owner,
    },
  ];
  for (const prefix of self.overlay) {
    items.push({
      key: vppAddressKey(prefix),
      value: { interface: OVERLAY_LOOPBACK_KEY, prefix } satisfies VppAddress,
      requires: [OVERLAY_LOOPBACK_KEY],
      owner,
    });
  }
  return items;
}

/**
 * Another node: a tunnel to it, its place in the bridge domain, and routes to its pods, its host and
 * the addresses that Kubernetes knows it by. Without tunnels: routes over the uplink.
 *
 * Nothing if it has not said yet where its uplink is.
 */
export function renderPeer(self: NodeNetwork, peer: NodeNetwork, config: ClusterConfig): Item[] {
  return config.transport === "none"
    ? renderRoutes(peer, UPLINK_KEY, peer.uplink)
    : renderTunnel(self, peer, config);
}

function renderTunnel(self: NodeNetwork, peer: NodeNetwork, config: ClusterConfig): Item[] {
  const source = tunnelEnd(self, config.underlay);
  const destination = tunnelEnd(peer, config.underlay);
  if (source === undefined || destination === undefined) return [];
  const owner = ownerOf(peer);
  const tunnel = vppVxlanKey(peer.id);
  const mac = overlayMac(peer.id);
  const hops = peer.overlay.map(({ address }) => address);
  const items: Item[] = [
    {
      key: tunnel,
      value: {
        tag: TUNNEL_TAG,
        instance: peer.id,
        source,
        destination,
        vni: config.vni,
        port: config.port,
      } satisfies VppVxlan,
      requires: [],
      owner,
    },
    {
      key: vppBridgePortKey(String(peer.id)),
      value: {
        interface: tunnel,
        bridge: BRIDGE_KEY,
        isBvi: false,
        group: TUNNELS,
      } satisfies VppBridgePort,
      requires: [tunnel, BRIDGE_KEY],
      owner,
    },
    {
      key: vppBridgeMacKey(mac),
      value: { bridge: BRIDGE_KEY, interface: tunnel, mac } satisfies VppBridgeMac,
      // VPP takes addresses on members only.
      requires: [tunnel, BRIDGE_KEY, vppBridgePortKey(String(peer.id))],
      owner,
    },
  ];
  for (const address of hops) {
    items.push({
      key: vppNeighbourKey(OVERLAY, address),
      value: { interface: OVERLAY_LOOPBACK_KEY, address, mac } satisfies VppNeighbour,
      requires: [OVERLAY_LOOPBACK_KEY],
      owner,
    });
  }
  return [...items, ...renderRoutes(peer, OVERLAY_LOOPBACK_KEY, hops)];
}

/** Routes to all that is on a node, by its next hop of each family. */
function renderRoutes(peer: NodeNetwork, link: string, hops: readonly IpAddress[]): Item[] {
  const prefixes = [
    ...peer.pods.map(({ prefix }) => prefix.network()),
    ...peer.hostLink.map(({ prefix }) => prefix.network()),
    ...peer.internal
      // The uplink's own addresses are reached by the network that they are on.
      .filter((address) => !peer.uplink.some((own) => own.equals(address)))
      .map((address) => IpPrefix.host(address)),
  ];
  return prefixes.flatMap((prefix) => {
    const nextHop = hops.find(({ family }) => family === prefix.family);
    if (nextHop === undefined) return [];
    return [{
      key: vppRouteKey(prefix),
      value: { prefix, path: { interface: link, nextHop } } satisfies VppRoute,
      requires: [link],
      owner: ownerOf(peer),
    }];
  });
}

const ownerOf = (node: NodeNetwork): string => `node ${node.name}`;
