import type { EndpointSlice } from "./endpoint_slice.ts";
import type { Kind } from "./kind.ts";
import type { Namespace } from "./namespace.ts";
import type { NetworkPolicy } from "./network_policy.ts";
import type { Node } from "./node.ts";
import type { Pod } from "./pod.ts";
import type { Service } from "./service.ts";

interface ObjectOfKind {
  readonly namespaces: Namespace;
  readonly nodes: Node;
  readonly pods: Pod;
  readonly services: Service;
  readonly endpointslices: EndpointSlice;
  readonly networkpolicies: NetworkPolicy;
}

/** An object of a kind, or of any. Immutable. */
export type ClusterObject<K extends Kind = Kind> = ObjectOfKind[K];

/** What names an object within its kind: `NAMESPACE/NAME`, or `NAME` where it is in no namespace. */
export function objectId(object: { readonly namespace?: string; readonly name: string }): string {
  return object.namespace === undefined ? object.name : `${object.namespace}/${object.name}`;
}
