import type { Manifest } from "@contiv/kubernetes";
import { HOSTNAME_LABEL, nodeOf, ownerOf, recordOf, type SandboxNode } from "./objects.ts";

/** Nodes that a pod's specification allows, whether they are up or not. */
export function allowedNodes(spec: unknown, nodes: readonly SandboxNode[]): readonly SandboxNode[] {
  const { nodeName, nodeSelector } = recordOf(spec);
  return nodes.filter(({ labels, name }) => {
    if (typeof nodeName === "string" && nodeName !== "") return name === nodeName;
    const own: Readonly<Record<string, unknown>> = { ...labels, [HOSTNAME_LABEL]: name };
    return Object.entries(recordOf(nodeSelector)).every(([key, value]) => own[key] === value);
  });
}

/**
 * The node for a pod that has none: of those that are up and allowed, that with the fewest pods of
 * its workload, then with the fewest pods, then the first by name. None if there is no such node.
 */
export function chooseNode(
  pod: Manifest,
  nodes: readonly SandboxNode[],
  pods: readonly Manifest[],
): string | undefined {
  const owner = ownerOf(pod);
  const count = (name: string, counts: (other: Manifest) => boolean): number =>
    pods.filter((other) => nodeOf(other) === name && counts(other)).length;
  const candidates = allowedNodes(pod["spec"], nodes).filter(({ up }) => up).map(({ name }) => ({
    name,
    siblings: owner === undefined ? 0 : count(name, (other) => ownerOf(other) === owner),
    all: count(name, () => true),
  }));
  const [best] = candidates.sort((a, b) =>
    a.siblings - b.siblings || a.all - b.all || (a.name < b.name ? -1 : 1)
  );
  return best?.name;
}
