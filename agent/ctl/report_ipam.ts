import { NodePrefix } from "../ipam/mod.ts";
import { type ClusterView, nodeNames } from "./cluster_view.ts";
import type { Report } from "./report.ts";

/** Nodes' pod prefixes and how much of them is used. */
export function reportIpam(view: ClusterView): Report {
  const used = new Map<string, string[]>();
  for (const { addresses, node } of view.connections) {
    used.set(node, [...used.get(node) ?? [], ...addresses.map(String)]);
  }
  const prefixes = nodeNames(view).flatMap((node) =>
    (view.records.get(node)?.pods ?? []).map((prefix) => {
      const layout = NodePrefix.of(prefix);
      const family = prefix.family === 4 ? "." : ":";
      const taken = (used.get(node) ?? []).filter((address) => address.includes(family));
      return {
        node,
        prefix: String(prefix),
        gateway: String(layout.gateway),
        capacity: Number(layout.capacity),
        used: taken.length,
        free: Number(layout.capacity) - taken.length,
        addresses: taken,
      };
    })
  );
  const { config } = view;
  const subnets = config === undefined ? [] : [
    ...config.pods.map(({ nodeLength, subnet }) => ["pods", subnet, `/${nodeLength}`] as const),
    ...config.hosts.map(({ nodeLength, subnet }) => ["hosts", subnet, `/${nodeLength}`] as const),
    ...config.overlay.map((subnet) => ["overlay", subnet, "an address"] as const),
    ...config.interconnect.map((subnet) => ["interconnect", subnet, "an address"] as const),
    ...config.services.map((subnet) => ["services", subnet, ""] as const),
  ];
  return {
    plain: {
      subnets: subnets.map(([of, subnet, share]) => ({ of, subnet: String(subnet), share })),
      nodes: prefixes,
    },
    tables: [
      {
        head: ["SUBNET", "OF", "A NODE'S SHARE"],
        rows: subnets.map(([of, subnet, share]) => [String(subnet), of, share]),
      },
      {
        head: ["NODE", "PREFIX", "GATEWAY", "USED", "FREE"],
        wide: ["CAPACITY", "ADDRESSES"],
        rows: prefixes.map(({ addresses, capacity, free, gateway, node, prefix, used }) =>
          [node, prefix, gateway, used, free, capacity, addresses].map(String)
        ),
      },
    ],
  };
}
