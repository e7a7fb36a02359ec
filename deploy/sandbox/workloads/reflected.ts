import type { Manifest, TypedManifest } from "@contiv/kubernetes";
import { isWorkload, labelsOf, nodeOf, type Objects, recordOf } from "./objects.ts";

/** A node that is there, whether or not there is a manifest of it. */
export interface ReflectedNode {
  readonly name: string;
  /** By which Kubernetes knows it. */
  readonly address: string;
  readonly up: boolean;
}

/** Addresses of a pod that is wired; empty for one that is not. */
export type AddressesOf = (pod: Manifest) => readonly string[];

/**
 * The files of KSR's directory: what Kubernetes' API has, with the statuses that its nodes write.
 * Workloads are not among them, as KSR would make pods of them.
 *
 * @returns manifests by file name
 */
export function reflectedFiles(
  objects: Objects,
  nodes: readonly ReflectedNode[],
  addressesOf: AddressesOf,
): ReadonlyMap<string, Manifest> {
  const files = new Map<string, Manifest>();
  for (const node of nodes) {
    const given = objects.find(({ type, manifest }) =>
      type === "nodes" && manifest.metadata.name === node.name
    );
    files.set(nodeFile(node.name), nodeManifest(node, given?.manifest));
  }
  for (const object of objects) {
    if (object.type === "nodes" || isWorkload(object)) continue;
    const { manifest } = object;
    files.set(
      fileOf(object),
      object.type === "pods" ? withStatus(manifest, nodes, addressesOf(manifest)) : manifest,
    );
  }
  return files;
}

export function nodeFile(name: string): string {
  return `${name}.json`;
}

/** A node as it reports itself. */
export function nodeManifest({ name, address, up }: ReflectedNode, given?: Manifest): Manifest {
  return {
    ...given,
    apiVersion: "v1",
    kind: "Node",
    metadata: { ...given?.metadata, name },
    status: {
      addresses: [{ type: "InternalIP", address }, { type: "Hostname", address: name }],
      conditions: [condition("Ready", up)],
    },
  };
}

/** Labels of nodes, by name. */
export function nodeLabels(
  objects: Objects,
): ReadonlyMap<string, Readonly<Record<string, string>>> {
  return new Map(
    objects.filter(({ type }) => type === "nodes")
      .map(({ manifest }) => [manifest.metadata.name, labelsOf(manifest)]),
  );
}

function fileOf({ type, manifest: { metadata } }: TypedManifest): string {
  const { name, namespace } = metadata;
  return `${type}.${namespace === undefined ? name : `${namespace}.${name}`}.json`;
}

/** As the kubelet writes it, and the node controller once the node is gone. */
function withStatus(
  pod: Manifest,
  nodes: readonly ReflectedNode[],
  addresses: readonly string[],
): Manifest {
  const node = nodes.find(({ name }) => name === nodeOf(pod));
  const [first] = addresses;
  const isWired = first !== undefined;
  const place = node === undefined ? {} : { hostIP: node.address };
  return {
    ...pod,
    spec: recordOf(pod["spec"]),
    status: {
      phase: isWired ? "Running" : "Pending",
      conditions: [
        condition("PodScheduled", node !== undefined),
        condition("Ready", isWired && node?.up === true),
      ],
      ...isWired && { ...place, podIP: first, podIPs: addresses.map((ip) => ({ ip })) },
    },
  };
}

function condition(type: string, holds: boolean): Readonly<Record<string, string>> {
  return { type, status: holds ? "True" : "False" };
}
