import type { Manifest, TypedManifest } from "@contiv/kubernetes";
import { type Kind, KINDS } from "@contiv/model";
import type { Problem } from "../source/mod.ts";
import { derivePods } from "./derive_pods.ts";
import { deriveSlices } from "./derive_slices.ts";

/** API objects by kind. */
export type Cluster = ReadonlyMap<Kind, readonly Manifest[]>;

/**
 * The cluster that manifests describe, with what Kubernetes' controllers would add: namespaces that
 * are only named, pods of workloads, slices of services. A Pod's own manifest takes the place of a
 * derived one of its name.
 */
export function derive(
  manifests: readonly TypedManifest[],
  report: (problem: Problem) => void,
): Cluster {
  const given = new Map<Kind, Manifest[]>(KINDS.map((kind) => [kind, []]));
  for (const { type, manifest } of manifests) given.get(type as Kind)?.push(manifest);
  const of = (kind: Kind): Manifest[] => given.get(kind) ?? [];
  const nodes = new Map(of("nodes").map((each) => [each.metadata.name, each]));
  const names = [...nodes.keys()].sort();
  const pods = new Map<string, Manifest>();
  for (const { type, manifest } of manifests) {
    if (given.has(type as Kind)) continue;
    const workload = type as Exclude<typeof type, Kind>;
    const subject = `${workload} ${fullName(manifest)}`;
    const derived = derivePods(
      workload,
      manifest,
      names,
      (message) => report({ subject, message }),
    );
    for (const pod of derived) pods.set(fullName(pod), pod);
  }
  for (const pod of of("pods")) pods.set(fullName(pod), pod);
  const byNamespace = Map.groupBy(
    [...pods.values()].sort((a, b) => fullName(a) < fullName(b) ? -1 : 1),
    ({ metadata }) => metadata.namespace,
  );
  const slices = of("services").flatMap((service) =>
    deriveSlices(service, byNamespace.get(service.metadata.namespace) ?? [], nodes)
  );
  const cluster = new Map<Kind, readonly Manifest[]>(given);
  cluster.set("pods", [...pods.values()]);
  cluster.set("endpointslices", [...of("endpointslices"), ...slices]);
  cluster.set("namespaces", withNames(of("namespaces"), cluster));
  return cluster;
}

function fullName({ metadata }: Manifest): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** The API server labels each namespace with its name, and has those that objects are in. */
function withNames(given: readonly Manifest[], cluster: Cluster): Manifest[] {
  const namespaces = new Map(given.map((each) => [each.metadata.name, each]));
  for (const { metadata } of [...cluster.values()].flat()) {
    const name = metadata.namespace;
    if (name !== undefined && !namespaces.has(name)) namespaces.set(name, { metadata: { name } });
  }
  return Array.from(namespaces.values(), (each) => {
    const { labels, name } = each.metadata;
    const own = typeof labels === "object" ? labels : {};
    return {
      ...each,
      metadata: { ...each.metadata, labels: { ...own, "kubernetes.io/metadata.name": name } },
    };
  });
}
