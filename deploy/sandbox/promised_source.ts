import { IpAddress } from "@contiv/net";
import type { Endpoint } from "./probe/mod.ts";

/** Somebody in or around a cluster. */
export interface ClusterEnd extends Endpoint {
  /** `internal` is a node under the address that Kubernetes knows it by, and is only asked. */
  readonly kind: "pod" | "host" | "internal" | "outside";
  /** Of all but `outside`. */
  readonly node?: string;
  /** Of pods: under which addresses they are known outside of the cluster. */
  readonly uplink?: readonly string[];
  /** Of hosts: the address that Kubernetes knows them by. */
  readonly internal?: readonly string[];
}

/**
 * Who sees whom under which address. Inside of the cluster, nodes' own addresses included, everybody
 * has their own; pods leave it under their node's uplink address; and somebody outside is seen as
 * who they are. Hosts ask each other's internal addresses over the network that these are on.
 *
 * @returns `undefined` where there is nothing to promise: what the data plane has no part in, and
 *   the way from outside to internal addresses, which the network between them has not
 */
export function promisedSource(
  from: ClusterEnd,
  to: ClusterEnd,
  address: string,
): string | undefined {
  if (from.kind === "internal") return undefined;
  if (to.kind === "internal") {
    if (from.kind === "outside" || (from.kind === "host" && from.node === to.node)) {
      return undefined;
    }
    if (from.kind === "host") return sameFamily(from.internal, address);
  }
  const leaves = from.kind === "pod" && to.kind === "outside";
  return sameFamily(leaves ? from.uplink : from.addresses, address);
}

function sameFamily(addresses: readonly string[] | undefined, like: string): string | undefined {
  const { family } = IpAddress.parse(like);
  return addresses?.find((each) => IpAddress.parse(each).family === family);
}
