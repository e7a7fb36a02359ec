import type { IpAddress, IpPrefix } from "@contiv/net";
import { address, labels, list, object, prefix, type Shape } from "./_codecs.ts";
import type { Labels } from "./labels.ts";

export interface Node {
  readonly name: string;
  /** Its zone among them. */
  readonly labels: Labels;
  /** Addresses inside the cluster, the preferred one of each family first. */
  readonly internal: readonly IpAddress[];
  readonly external: readonly IpAddress[];
  /** The pod prefixes that Kubernetes' node controller gave to it, if it does. */
  readonly podCidrs: readonly IpPrefix[];
}

/** The label that names a node's zone. */
export const ZONE_LABEL = "topology.kubernetes.io/zone";

export const NODE: Shape<Node, "name"> = object({
  labels,
  internal: list(address),
  external: list(address),
  podCidrs: list(prefix),
});
