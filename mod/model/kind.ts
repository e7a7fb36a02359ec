/** The kinds of objects that are reflected, by their names in keys; what others refer to first. */
export const KINDS = [
  "namespaces",
  "nodes",
  "pods",
  "services",
  "endpointslices",
  "networkpolicies",
] as const;

export type Kind = typeof KINDS[number];

const CLUSTER_WIDE: ReadonlySet<Kind> = new Set<Kind>(["namespaces", "nodes"]);

/** Whether objects of the kind live in namespaces. */
export function isNamespaced(kind: Kind): boolean {
  return !CLUSTER_WIDE.has(kind);
}
