import type { ClusterObject, Kind } from "@contiv/model";
import { convertEndpointSlice } from "./convert_endpoint_slice.ts";
import { convertNamespace } from "./convert_namespace.ts";
import { convertNetworkPolicy } from "./convert_network_policy.ts";
import { convertNode } from "./convert_node.ts";
import { convertPod } from "./convert_pod.ts";
import { convertService } from "./convert_service.ts";
import { Raw, type Report } from "./raw.ts";

const CONVERTERS: { readonly [K in Kind]: (raw: Raw) => ClusterObject<K> | undefined } = {
  namespaces: convertNamespace,
  nodes: convertNode,
  pods: convertPod,
  services: convertService,
  endpointslices: convertEndpointSlice,
  networkpolicies: convertNetworkPolicy,
};

/**
 * Makes a model's object of an API object. A part that cannot be used is left out, so that nobody
 * gets more than was meant, and reported.
 * @returns `undefined` for an object that is of no use to any role
 * @throws {ConversionError} if it cannot be used at all
 */
export function convert<K extends Kind>(
  kind: K,
  object: unknown,
  report: Report,
): ClusterObject<K> | undefined {
  return CONVERTERS[kind](Raw.of(object, report));
}
