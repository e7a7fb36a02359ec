import { asRecord, Fault, type Shape } from "./_codecs.ts";
import type { ClusterObject } from "./cluster_object.ts";
import { ENDPOINT_SLICE } from "./endpoint_slice.ts";
import type { Kind } from "./kind.ts";
import { ModelError } from "./model_error.ts";
import { NAMESPACE } from "./namespace.ts";
import { NETWORK_POLICY } from "./network_policy.ts";
import { NODE } from "./node.ts";
import { POD } from "./pod.ts";
import { SERVICE } from "./service.ts";

/**
 * The version of stored values. A writer that only adds fields keeps it: readers pass over what they
 * do not know. One whose values would mislead older readers raises it, and they refuse those values.
 */
export const FORMAT_VERSION = 1;

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
  return JSON.stringify({ v: FORMAT_VERSION, ...(SHAPES[kind] as AnyShape).encode(object) });
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

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
  try {
    const record = asRecord(parse(stored));
    const version = record["v"];
    if (version !== FORMAT_VERSION) {
      throw new Fault(version, `format version ${FORMAT_VERSION}`).within("v");
    }
    return (SHAPES[kind] as AnyShape).decode(record, names as never) as ClusterObject<K>;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const path = `${kind}/${id}${error.path === "" ? "" : `: ${error.path}`}`;
    throw new ModelError(path, error.value, error.wanted, { cause: error });
  }
}

function parse(stored: string | Uint8Array): unknown {
  let text = "";
  try {
    text = typeof stored === "string" ? stored : utf8.decode(stored);
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
    throw new Fault(text, "JSON in UTF-8");
  }
}
