import type { VswitchPod } from "@contiv/model";
import { type Family, IpAddress } from "@contiv/net";
import type { ClusterView } from "./cluster_view.ts";

/** Where a traced packet starts or is sent to. */
export interface TraceEnd {
  /** For people. */
  readonly label: string;
  /** Absent for an address that is none of the cluster's. */
  readonly node?: string;
  /** The connection's ID, or `host`; absent like `node`. */
  readonly from?: string;
  readonly addresses: readonly IpAddress[];
}

/**
 * What an operator means: a pod by `NAMESPACE/NAME` or a name in `namespace`, a node's host by its
 * name, or an address.
 */
export function findEnd(
  view: ClusterView,
  word: string,
  namespace: string,
): TraceEnd | undefined {
  const address = IpAddress.tryParse(word);
  if (address !== undefined) return endOfAddress(view, address);
  const id = word.includes("/") ? word : `${namespace}/${word}`;
  const pods = view.connections.filter(({ pod }) => pod && `${pod.namespace}/${pod.name}` === id);
  // A pod's new sandbox is there before its old one is gone.
  const pod = pods.find(({ state }) => state === "ready") ?? pods[0];
  if (pod !== undefined) return endOfPod(pod, id);
  const node = view.vswitches.get(word);
  return node && { label: `host of ${word}`, node: word, from: "host", addresses: node.host };
}

/** An address of each end, of one family that both have. */
export function commonFamily(
  from: TraceEnd,
  to: TraceEnd,
  family: Family | undefined,
): readonly [IpAddress, IpAddress] | undefined {
  for (const wanted of family === undefined ? [4, 6] : [family]) {
    const of = ({ addresses }: TraceEnd): IpAddress | undefined =>
      addresses.find((address) => address.family === wanted);
    const [source, destination] = [of(from), of(to)];
    if (source !== undefined && destination !== undefined) return [source, destination];
  }
  return undefined;
}

function endOfAddress(view: ClusterView, address: IpAddress): TraceEnd {
  const has = (addresses: readonly IpAddress[]): boolean =>
    addresses.some((each) => each.equals(address));
  const pod = view.connections.find(({ addresses, state }) => state === "ready" && has(addresses));
  if (pod !== undefined) {
    return { ...endOfPod(pod, `${pod.pod?.namespace}/${pod.pod?.name}`), addresses: [address] };
  }
  const node = [...view.vswitches.values()].find(({ host }) => has(host));
  if (node === undefined) return { label: String(address), addresses: [address] };
  return { label: `host of ${node.name}`, node: node.name, from: "host", addresses: [address] };
}

function endOfPod({ addresses, id, node }: VswitchPod, label: string): TraceEnd {
  return { label, node, from: id, addresses };
}
