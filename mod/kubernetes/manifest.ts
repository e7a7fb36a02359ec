import type { Kind } from "@contiv/model";

/** An API object as a manifest has it. */
export type Manifest = Readonly<Record<string, unknown>> & {
  readonly metadata: Readonly<Record<string, unknown>> & {
    readonly name: string;
    readonly namespace?: string;
  };
};

export type Workload = "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet";

/** What a manifest is to us: an object of a kind, or something that pods are made of. */
export type ManifestType = Kind | Workload;

const TYPES: Readonly<Record<string, ManifestType>> = {
  "v1/Namespace": "namespaces",
  "v1/Node": "nodes",
  "v1/Pod": "pods",
  "v1/Service": "services",
  "discovery.k8s.io/v1/EndpointSlice": "endpointslices",
  "networking.k8s.io/v1/NetworkPolicy": "networkpolicies",
  "apps/v1/Deployment": "Deployment",
  "apps/v1/ReplicaSet": "ReplicaSet",
  "apps/v1/StatefulSet": "StatefulSet",
  "apps/v1/DaemonSet": "DaemonSet",
};

export interface TypedManifest {
  readonly type: ManifestType;
  readonly manifest: Manifest;
}

/** Items of lists within lists that are followed. */
const MAX_DEPTH = 4;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An object of a kind that means nothing to contiv. */
export interface ForeignManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: unknown;
}

export interface ReadOptions {
  /** Of objects that name none. @default "default" */
  readonly namespace?: string;
  /** Is told of objects of other kinds. */
  readonly passOver?: (manifest: ForeignManifest) => void;
}

/**
 * The objects of a document: itself, or the items of a List.
 * @throws {TypeError} that says what is missing
 */
export function readManifests(
  document: unknown,
  options: ReadOptions = {},
  depth = 0,
): TypedManifest[] {
  if (!isRecord(document)) throw new TypeError("no object, an API object wanted");
  const { apiVersion, kind, metadata, items } = document;
  if (typeof apiVersion !== "string" || typeof kind !== "string") {
    throw new TypeError("apiVersion or kind is missing, both wanted");
  }
  if (kind.endsWith("List") && Array.isArray(items)) {
    if (depth >= MAX_DEPTH) throw new TypeError(`lists within ${depth} lists, fewer wanted`);
    return items.flatMap((each: unknown) => readManifests(each, options, depth + 1));
  }
  const name = `${apiVersion}/${kind}`;
  const type = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
  if (type === undefined) {
    options.passOver?.({ apiVersion, kind, metadata });
    return [];
  }
  if (!isRecord(metadata) || typeof metadata["name"] !== "string") {
    throw new TypeError(`${kind} without metadata.name, one wanted`);
  }
  const namespace = metadata["namespace"] ?? options.namespace ?? "default";
  if (typeof namespace !== "string") {
    throw new TypeError(`metadata.namespace is ${JSON.stringify(namespace)}, a string wanted`);
  }
  const named = type === "namespaces" || type === "nodes" ? {} : { namespace };
  return [{
    type,
    manifest: { ...document, metadata: { ...metadata, name: metadata["name"], ...named } },
  }];
}

/** What names a manifest among all. */
export function manifestId({ type, manifest: { metadata } }: TypedManifest): string {
  return `${type}/${metadata.namespace ?? ""}/${metadata.name}`;
}
