import type { VswitchPod } from "@contiv/model";
import { type ClusterView, nameOf } from "./cluster_view.ts";
import type { Report } from "./report.ts";

/** Containers' connections with the data plane, of all namespaces or of one. */
export function reportPods({ connections }: ClusterView, namespace: string | undefined): Report {
  const pods = connections.filter(({ pod }) =>
    namespace === undefined || pod?.namespace === namespace
  );
  return {
    plain: pods.map((pod) => ({
      namespace: pod.pod?.namespace,
      name: pod.pod?.name,
      node: pod.node,
      state: pod.state,
      addresses: pod.addresses.map(String),
      interface: pod.interface && { kind: linkOf(pod), ...pod.interface },
      ifname: pod.ifname,
      mac: pod.mac,
      mtu: pod.mtu,
      network: pod.network,
      containerId: pod.containerId,
      netns: pod.netns,
      id: pod.id,
    })),
    tables: [{
      head: ["NAMESPACE", "NAME", "NODE", "STATE", "ADDRESSES", "INTERFACE"],
      wide: ["MAC", "MTU", "CONTAINER", "NETNS", "ID"],
      rows: pods.map((pod) => [
        pod.pod?.namespace ?? "",
        pod.pod?.name ?? nameOf(pod),
        pod.node,
        pod.state,
        pod.addresses.join(","),
        pod.interface === undefined ? "" : `${linkOf(pod)} ${pod.interface.index}`,
        pod.mac,
        String(pod.mtu),
        pod.containerId.slice(0, 13),
        pod.netns,
        pod.id,
      ]),
    }],
  };
}

function linkOf({ interface: link }: VswitchPod): "tap" | "veth" {
  return link?.device === "" ? "tap" : "veth";
}
