import { type Manifest, manifestId, type TypedManifest } from "@contiv/kubernetes";
import { InputError } from "./input_error.ts";
import { canonical, isWorkload, type Objects, recordOf, titleOf } from "./objects.ts";
import type { Given } from "./read_input.ts";
import { withAddresses } from "./services.ts";

/** What became of an object, as kubectl says it. */
export interface Outcome {
  readonly title: string;
  readonly what: "created" | "configured" | "unchanged" | "deleted" | "scaled" | "not found";
}

export interface Change {
  readonly objects: Objects;
  readonly outcomes: readonly Outcome[];
}

/** Namespaces that every cluster has. */
const NAMESPACES = ["default", "kube-system", "kube-public", "kube-node-lease"];

/**
 * Takes manifests in: new objects are made, others become what their manifests say. Of what these
 * leave open, a workload keeps its replicas, a pod its node and a service its addresses.
 *
 * @param nodes names of the nodes that there are
 * @throws {InputError} that names all that is wrong; then nothing is taken in
 */
export function applyObjects(
  objects: Objects,
  given: readonly Given[],
  nodes: readonly string[],
): Change {
  const problems: string[] = [];
  const live = new Map(objects.map((object) => [manifestId(object), object]));
  const namespaces = new Set([
    ...NAMESPACES,
    ...[...objects, ...given].filter(({ type }) => type === "namespaces")
      .map(({ manifest }) => manifest.metadata.name),
  ]);
  const outcomes = given.map((each): Outcome => {
    const id = manifestId(each);
    const before = live.get(id);
    const title = titleOf(each);
    const report = (message: string): void => {
      problems.push(`${each.where}: ${title}: ${message}`);
    };
    const { metadata } = each.manifest;
    if (metadata.namespace !== undefined && !namespaces.has(metadata.namespace)) {
      const wanted = "a namespace that there is wanted";
      report(`metadata.namespace: ${JSON.stringify(metadata.namespace)}, ${wanted}`);
    }
    checkNodes(each, nodes, report);
    if (before !== undefined) checkUnchangeable(before, each, report);
    const others = [...live.values()].filter((other) => other !== before);
    const merged = merge(before, each, others);
    live.set(id, merged);
    if (before === undefined) {
      return { title, what: each.type === "nodes" ? "configured" : "created" };
    }
    const same = canonical(before.manifest) === canonical(merged.manifest);
    return { title, what: same ? "unchanged" : "configured" };
  });
  if (problems.length > 0) throw new InputError(problems);
  return { objects: [...live.values()], outcomes };
}

/**
 * Takes objects out by their names; a namespace takes along what is in it.
 * @throws {InputError} for nodes, which are deleted otherwise
 */
export function deleteObjects(objects: Objects, given: readonly Given[]): Change {
  const nodes = given.filter(({ type }) => type === "nodes");
  if (nodes.length > 0) {
    throw new InputError(
      nodes.map((each) =>
        `${each.where}: ${titleOf(each)}: it is not deleted this way, "node remove" does it`
      ),
    );
  }
  let left = objects;
  const outcomes = given.map((each): Outcome => {
    const id = manifestId(each);
    const { name } = each.manifest.metadata;
    const remain = left.filter((object) =>
      manifestId(object) !== id &&
      !(each.type === "namespaces" && object.manifest.metadata.namespace === name)
    );
    const found = objects.some((object) => manifestId(object) === id);
    left = remain;
    return { title: titleOf(each), what: found ? "deleted" : "not found" };
  });
  return { objects: left, outcomes };
}

/**
 * Sets how many pods a workload has.
 * @param reference `KIND/NAME` as kubectl takes it, or `NAME`
 * @throws {Error} if there is no such workload, there are several, or it has a pod on each node
 */
export function scaleObject(
  objects: Objects,
  { namespace, reference, replicas }: {
    readonly namespace: string;
    readonly reference: string;
    readonly replicas: number;
  },
): Change {
  const [name = "", kind, ...more] = reference.split("/").toReversed();
  const workloads = objects.filter(isWorkload).filter(({ manifest: { metadata } }) =>
    metadata.namespace === namespace
  );
  const found = workloads.filter((each) =>
    each.manifest.metadata.name === name && (kind === undefined || isKind(each, kind))
  );
  const [target] = found;
  if (target === undefined || found.length > 1 || more.length > 0) {
    const there = (found.length > 1 ? found : workloads).map(titleOf).join(", ") || "none";
    const number = found.length > 1 ? "several" : "no such workload";
    throw new Error(
      `Cannot scale ${JSON.stringify(reference)}: ${number} in namespace ${namespace}, ` +
        `where there are ${there}`,
    );
  }
  if (target.type === "DaemonSet") {
    throw new Error(`Cannot scale ${titleOf(target)}: it has one pod on each node`);
  }
  const spec = { ...recordOf(target.manifest["spec"]), replicas };
  const scaled = { ...target, manifest: { ...target.manifest, spec } };
  return {
    objects: objects.map((each) => each === target ? scaled : each),
    outcomes: [{ title: titleOf(target), what: "scaled" }],
  };
}

const SHORT: Readonly<Record<string, string>> = {
  ...{ deploy: "deployment", rs: "replicaset", sts: "statefulset", ds: "daemonset" },
};

function isKind({ type }: TypedManifest, word: string): boolean {
  const [kind = ""] = word.toLowerCase().split(".");
  return (SHORT[kind] ?? kind.replace(/s$/, "")) === type.toLowerCase();
}

function merge(
  before: TypedManifest | undefined,
  { type, manifest }: Given,
  others: Objects,
): TypedManifest {
  const { status: _written, ...rest } = manifest;
  const old = recordOf(before?.manifest["spec"]);
  const spec = recordOf(rest["spec"]);
  if (type === "services") {
    return { type, manifest: { ...rest, spec: withAddresses(spec, old, others) } };
  }
  if (type === "pods" && before !== undefined) {
    const { ownerReferences, uid } = before.manifest.metadata;
    const made = { uid, ...ownerReferences !== undefined && { ownerReferences } };
    const metadata = { ...rest.metadata, ...made };
    return { type, manifest: { ...rest, metadata, spec: old } };
  }
  const kept = isWorkload({ type, manifest }) && spec["replicas"] === undefined &&
    old["replicas"] !== undefined;
  return {
    type,
    manifest: kept ? { ...rest, spec: { ...spec, replicas: old["replicas"] } } : rest,
  };
}

/** What Kubernetes refuses to change. */
function checkUnchangeable(
  before: TypedManifest,
  { type, manifest }: Given,
  report: (message: string) => void,
): void {
  const old = recordOf(before.manifest["spec"]);
  const spec = recordOf(manifest["spec"]);
  if (type === "pods") {
    const { nodeName } = old;
    const same = canonical({ nodeName, ...spec }) === canonical(old);
    if (!same) report("spec: changed, the same as before wanted: delete the pod first");
  }
  if (isWorkload(before) && canonical(old["selector"]) !== canonical(spec["selector"])) {
    const wanted = `${JSON.stringify(old["selector"])} as before wanted`;
    report(`spec.selector: ${JSON.stringify(spec["selector"])}, ${wanted}`);
  }
}

function checkNodes(
  { type, manifest }: Given,
  nodes: readonly string[],
  report: (message: string) => void,
): void {
  const refuse = (field: string, name: unknown): void =>
    report(`${field}: ${JSON.stringify(name)}, one of ${nodes.join(", ")} wanted`);
  const { name } = manifest.metadata;
  if (type === "nodes" && !nodes.includes(name)) refuse("metadata.name", name);
  const [field, { nodeName }] = nodeNameOf(type, manifest);
  if (typeof nodeName === "string" && nodeName !== "" && !nodes.includes(nodeName)) {
    refuse(field, nodeName);
  }
}

function nodeNameOf(
  type: TypedManifest["type"],
  manifest: Manifest,
): readonly [field: string, spec: Readonly<Record<string, unknown>>] {
  const spec = recordOf(manifest["spec"]);
  return type === "pods"
    ? ["spec.nodeName", spec]
    : ["spec.template.spec.nodeName", recordOf(recordOf(spec["template"])["spec"])];
}
