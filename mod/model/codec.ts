import type { Shape } from "./_codecs.ts";
import { decodeDocument, encodeDocument } from "./_document.ts";
import type { ClusterObject } from "./cluster_object.ts";
import { ENDPOINT_SLICE } from "./endpoint_slice.ts";
import type { Kind } from "./kind.ts";
import { NAMESPACE } from "./namespace.ts";
import { NETWORK_POLICY } from "./network_policy.ts";
import { NODE } from "./node.ts";
import { POD } from "./pod.ts";
import { SERVICE } from "./service.ts";

export { FORMAT_VERSION } from "./_document.ts";

type AnyShape = Shape<ClusterObject, never>;

const SHAPES: Readonly<Record<Kind, unknown>> = {
  namespaces: NAMESPACE,
  nodes: NODE,
  pods: POD,
  services: SERVICE,
  endpointslices: ENDPOINT_SLICE,
  networkpolicies: NETWORK_POLICY,
};

/**
 * The stored form: JSON without blanks, `v` first, then the fields that are not their defaults, in a
 * fixed order. Equal objects have equal texts. Names are left to the key.
 */
export function encodeObject<K extends Kind>(kind: K, object: ClusterObject<K>): string {
  return encodeDocument(SHAPES[kind] as AnyShape, object);
}

/**
 * Reads a stored value.
 * @param id as of {@link objectId}, from the key
 * @throws {ModelError} that names path and value
 */
export function decodeObject<K extends Kind>(
  kind: K,
  id: string,
  stored: string | Uint8Array,
): ClusterObject<K> {
  const slash = id.indexOf("/");
  const names = slash < 0
    ? { name: id }
    : { namespace: id.slice(0, slash), name: id.slice(slash + 1) };
  const shape = SHAPES[kind] as AnyShape;
  return decodeDocument(shape, `${kind}/${id}`, stored, names as never) as ClusterObject<K>;
}
