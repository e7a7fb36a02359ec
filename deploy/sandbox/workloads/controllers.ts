import { type Manifest, manifestId, type TypedManifest, type Workload } from "@contiv/kubernetes";
import { podName, revisionOf } from "./names.ts";
import {
  isWorkload,
  labelsOf,
  nodeOf,
  type Objects,
  ownerOf,
  recordOf,
  type SandboxNode,
} from "./objects.ts";
import { allowedNodes, chooseNode } from "./scheduler.ts";

/** Labels that tell which template a pod was made of, as Kubernetes' controllers set them. */
const REVISION_LABELS: Readonly<Record<Workload, string>> = {
  Deployment: "pod-template-hash",
  ReplicaSet: "pod-template-hash",
  StatefulSet: "controller-revision-hash",
  DaemonSet: "controller-revision-hash",
};

/** What comes by chance. */
export interface Chance {
  /** A number from 0 to below 1, for the names of pods. */
  random(): number;
  /** That of a pod. */
  uid(): string;
}

/**
 * What Kubernetes' controllers and its scheduler make of these objects: pods of workloads come and
 * go until they are as many as wanted and of the present template; pods whose workload or node is
 * gone go; pods without a node get one, if there is one for them, and else wait for it.
 */
export function reconcile(
  objects: Objects,
  nodes: readonly SandboxNode[],
  { random, uid }: Chance,
): Objects {
  const workloads = objects.filter(isWorkload);
  const owners = new Set(workloads.map(manifestId));
  const known = new Set(nodes.map(({ name }) => name));
  const survives = (pod: Manifest): boolean => {
    const owner = ownerOf(pod);
    const node = nodeOf(pod);
    return (owner === undefined || owners.has(owner)) && (node === undefined || known.has(node));
  };
  let pods = podsOf(objects).filter(survives);
  for (const workload of workloads) {
    const owned = pods.filter((pod) => ownerOf(pod) === manifestId(workload));
    const wanted = wantedPods(workload, owned, pods, nodes, random);
    const kept = new Set(wanted);
    const others = pods.filter((pod) => !owned.includes(pod) || kept.has(pod));
    pods = [...others, ...wanted.filter((pod) => !owned.includes(pod))];
  }
  for (const [i, pod] of pods.entries()) {
    if (nodeOf(pod) !== undefined) continue;
    const node = chooseNode(pod, nodes, pods);
    if (node !== undefined) {
      pods = pods.with(i, { ...pod, spec: { ...recordOf(pod["spec"]), nodeName: node } });
    }
  }
  return [
    ...objects.filter(({ type, manifest }) =>
      type !== "pods" && !(type === "nodes" && !known.has(manifest.metadata.name))
    ),
    ...pods.map((pod): TypedManifest => ({
      type: "pods",
      manifest: { ...pod, metadata: { ...pod.metadata, uid: pod.metadata["uid"] ?? uid() } },
    })),
  ];
}

export function podsOf(objects: Objects): readonly Manifest[] {
  return objects.filter(({ type }) => type === "pods").map(({ manifest }) => manifest);
}

/** A workload's pods as they should be: those that stay, and new ones. */
function wantedPods(
  { type, manifest }: TypedManifest & { readonly type: Workload },
  owned: readonly Manifest[],
  pods: readonly Manifest[],
  nodes: readonly SandboxNode[],
  random: () => number,
): readonly Manifest[] {
  const { name, namespace } = manifest.metadata;
  const others = pods.filter(({ metadata }) => metadata.namespace === namespace);
  const taken = new Set(others.map(nameOf));
  const { replicas = 1, template } = recordOf(manifest["spec"]);
  const revision = revisionOf(template);
  const right = owned.filter((pod) => labelsOf(pod)[REVISION_LABELS[type]] === revision);
  const make = (podName: string, node?: string): Manifest =>
    makePod(type, manifest, revision, podName, node);
  if (type === "DaemonSet") {
    const allowed = allowedNodes(recordOf(template)["spec"], nodes);
    return allowed.flatMap((node) => {
      const there = right.find((pod) => nodeOf(pod) === node.name);
      if (there !== undefined || !node.up) return there ?? [];
      return make(podName(name, taken, random), node.name);
    });
  }
  const count = Number(replicas);
  if (type === "StatefulSet") {
    const foreign = new Set(others.filter((pod) => !owned.includes(pod)).map(nameOf));
    const own = Array.from({ length: count }, (_, i) => `${name}-${i}`);
    // As with Kubernetes, a pod of somebody else's with that name is in the way.
    return own.filter((each) => !foreign.has(each)).map((each) =>
      right.find((pod) => nameOf(pod) === each) ?? make(each)
    );
  }
  const kept = mostWorthKeeping(right, nodes).slice(0, count);
  const base = type === "Deployment" ? `${name}-${revision}` : name;
  const added = Array.from({ length: count - kept.length }, () => {
    const pod = make(podName(base, taken, random));
    taken.add(pod.metadata.name);
    return pod;
  });
  return [...kept, ...added];
}

function nameOf({ metadata }: Manifest): string {
  return metadata.name;
}

/**
 * Pods that work come before those that have no node, or one that is down; then those that share
 * their node with fewer of their kind; then the older.
 */
function mostWorthKeeping(
  pods: readonly Manifest[],
  nodes: readonly SandboxNode[],
): readonly Manifest[] {
  const up = new Set(nodes.filter((node) => node.up).map(({ name }) => name));
  const seen = new Map<string, number>();
  const ranked = pods.map((pod) => {
    const node = nodeOf(pod) ?? "";
    const before = seen.get(node) ?? 0;
    seen.set(node, before + 1);
    return { pod, rank: (up.has(node) ? 0 : pods.length) + before };
  });
  return ranked.sort((a, b) => a.rank - b.rank).map(({ pod }) => pod);
}

function makePod(
  type: Workload,
  workload: Manifest,
  revision: string,
  name: string,
  node: string | undefined,
): Manifest {
  const { namespace = "default" } = workload.metadata;
  const template = recordOf(recordOf(workload["spec"])["template"]);
  const { labels, annotations } = recordOf(template["metadata"]);
  const ordinal = type === "StatefulSet" ? { "statefulset.kubernetes.io/pod-name": name } : {};
  const owner = { apiVersion: "apps/v1", kind: type, name: workload.metadata.name };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace,
      labels: { ...recordOf(labels), ...ordinal, [REVISION_LABELS[type]]: revision },
      ...annotations === undefined ? {} : { annotations },
      ownerReferences: [{ ...owner, controller: true }],
    },
    spec: { ...recordOf(template["spec"]), ...node === undefined ? {} : { nodeName: node } },
  };
}
