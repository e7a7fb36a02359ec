import { type ClusterView, nodeNames } from "./cluster_view.ts";
import type { Report } from "./report.ts";

/** How nodes are joined with each other, their hosts and the outside. */
export function reportTopology(view: ClusterView): Report {
  const { agents, config, records, vswitches } = view;
  const nodes = nodeNames(view).flatMap((name) => {
    const record = records.get(name);
    if (record === undefined) return [];
    const vswitch = vswitches.get(name);
    const underlay = config?.underlay ?? 4;
    return [{
      name,
      id: record.id,
      device: vswitch?.device,
      uplink: (vswitch?.uplink ?? record.uplink).map(String),
      tunnelEnd: config?.transport === "none"
        ? undefined
        : record.uplink.find(({ family }) => family === underlay)?.toString(),
      overlay: (vswitch?.overlay ?? []).map(String),
      host: (vswitch?.host ?? []).map(String),
      gateways: (vswitch?.gateways ?? []).map(String),
      mtu: vswitch && { uplink: vswitch.uplinkMtu, pod: vswitch.podMtu },
      peers: agents.get(name)?.peers,
      others: records.size - 1,
    }];
  });
  const transport = config?.transport ?? "unknown";
  const cluster = {
    transport,
    underlay: config && `ipv${config.underlay}`,
    vni: transport === "vxlan" ? config?.vni : undefined,
    port: transport === "vxlan" ? config?.port : undefined,
  };
  return {
    plain: { ...cluster, nodes },
    tables: [
      {
        head: ["TRANSPORT", "UNDERLAY", "VNI", "PORT"],
        rows: [Object.values(cluster).map((cell) => cell === undefined ? "" : String(cell))],
      },
      {
        head: ["NODE", "ID", "DEVICE", "UPLINK", "OVERLAY", "HOST", "MTU", "JOINED"],
        wide: ["TUNNEL-END", "GATEWAYS"],
        rows: nodes.map((node) =>
          [
            ...[node.name, node.id, node.device, node.uplink, node.overlay, node.host],
            ...[node.mtu?.pod, `${node.peers ?? "?"} of ${node.others}`],
            ...[node.tunnelEnd, node.gateways],
          ].map((cell) => cell === undefined ? "" : String(cell))
        ),
      },
    ],
  };
}
