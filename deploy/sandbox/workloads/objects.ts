import type { Manifest, ManifestType, TypedManifest, Workload } from "@contiv/kubernetes";

/** What users asked for and what was made of it, in the order of making. */
export type Objects = readonly TypedManifest[];

/** A node as the scheduler sees it. */
export interface SandboxNode {
  readonly name: string;
  /** Those of its manifest; {@link HOSTNAME_LABEL} goes without saying. */
  readonly labels: Readonly<Record<string, string>>;
  /** Whether its processes run. */
  readonly up: boolean;
}

export const HOSTNAME_LABEL = "kubernetes.io/hostname";

/** What pods are made of. */
export const WORKLOADS = ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"] as const;

/** As kubectl names kinds. */
const TITLES: Readonly<Record<ManifestType, string>> = {
  namespaces: "namespace",
  nodes: "node",
  pods: "pod",
  services: "service",
  endpointslices: "endpointslice.discovery.k8s.io",
  networkpolicies: "networkpolicy.networking.k8s.io",
  Deployment: "deployment.apps",
  ReplicaSet: "replicaset.apps",
  StatefulSet: "statefulset.apps",
  DaemonSet: "daemonset.apps",
};

/** An object as kubectl names it, e.g. `deployment.apps/web`. */
export function titleOf({ type, manifest }: TypedManifest): string {
  return `${TITLES[type]}/${manifest.metadata.name}`;
}

export function isWorkload(object: TypedManifest): object is TypedManifest & { type: Workload } {
  return (WORKLOADS as readonly string[]).includes(object.type);
}

/** The id of the workload that made a pod; see `manifestId`. */
export function ownerOf({ metadata }: Manifest): string | undefined {
  const [owner] = listOf(metadata["ownerReferences"]);
  return owner === undefined
    ? undefined
    : `${owner["kind"]}/${metadata.namespace ?? ""}/${owner["name"]}`;
}

/** The node that a pod is on, once it is on one. */
export function nodeOf(pod: Manifest): string | undefined {
  const name = recordOf(pod["spec"])["nodeName"];
  return typeof name === "string" && name !== "" ? name : undefined;
}

export function labelsOf({ metadata }: Manifest): Readonly<Record<string, string>> {
  return recordOf(metadata["labels"]) as Record<string, string>;
}

export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

export function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.map(recordOf) : [];
}

/** JSON that is the same for equal values, however their keys are ordered. */
export function canonical(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, each: unknown) =>
      typeof each === "object" && each !== null && !Array.isArray(each)
        ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => a < b ? -1 : 1))
        : each,
  );
}
