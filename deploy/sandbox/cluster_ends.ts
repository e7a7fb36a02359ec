import type { Cluster } from "./cluster.ts";
import { INTERNET } from "./fabric.ts";
import type { ClusterEnd } from "./promised_source.ts";
import { DEFAULT_NAMESPACE } from "./sandbox.ts";

/** Everybody who is to reach everybody: pods, hosts, nodes, and somebody on the internet. */
export function clusterEnds({ fabric, nodes, record }: Cluster): readonly ClusterEnd[] {
  const known = nodes.map(({ record: { node } }) => ({
    ...node,
    place: record.places[node.name],
    internal: [fabric.internalAddress(Number(node.name.slice("node".length)))],
  }));
  return [
    ...known.flatMap(({ place, pods, ...node }) =>
      pods.map(({ addresses, gateways, name, namespace, netns }): ClusterEnd => ({
        kind: "pod",
        node: node.name,
        name: namespace === DEFAULT_NAMESPACE ? name : `${namespace}/${name}`,
        netns,
        addresses,
        gateways,
        uplink: place?.uplink.map(withoutLength) ?? [],
      }))
    ),
    // Hosts, by their addresses on the link with VPP.
    ...known.map(({ internal, name, netns, place }): ClusterEnd => ({
      kind: "host",
      node: name,
      name: `host-${name}`,
      netns,
      addresses: place?.host ?? [],
      internal,
      gateways: [],
    })),
    ...known.map(({ internal, name, netns }): ClusterEnd => ({
      kind: "internal",
      node: name,
      name: `internal-${name}`,
      netns,
      addresses: internal,
      gateways: [],
    })),
    {
      kind: "outside",
      name: "internet",
      netns: fabric.internetNetns,
      addresses: INTERNET,
      gateways: [],
    },
  ];
}

function withoutLength(prefix: string): string {
  return prefix.replace(/\/.*$/, "");
}
