import {
  type ForeignManifest,
  manifestId,
  readDocuments,
  readManifests,
  type TypedManifest,
} from "@contiv/kubernetes";
import { checkManifest } from "./check_manifest.ts";
import { InputError } from "./input_error.ts";
import { recordOf, titleOf } from "./objects.ts";

/** A manifest of a user's, and where it stands. */
export interface Given extends TypedManifest {
  /** E.g. `web.yaml, document 2 (line 14)`. */
  readonly where: string;
}

export interface Input {
  readonly given: readonly Given[];
  /** What is left out or not honoured, a line each. */
  readonly notes: readonly string[];
}

/** Kinds that no packet is sent by: they are passed over, and it is said. */
const BESIDE_THE_NETWORK = new Set([
  ...["v1/ConfigMap", "v1/Secret", "v1/ServiceAccount", "v1/PersistentVolumeClaim"],
  ...["v1/PersistentVolume", "storage.k8s.io/v1/StorageClass", "policy/v1/PodDisruptionBudget"],
  ...["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"].map((kind) =>
    `rbac.authorization.k8s.io/v1/${kind}`
  ),
]);

/** What the sandbox takes. */
const TAKEN = "Pod, Deployment, ReplicaSet, StatefulSet, DaemonSet, Namespace, Node, Service, " +
  "EndpointSlice, NetworkPolicy";

/** Fields of a pod's specification by which Kubernetes would schedule it. */
const NOT_HONOURED = ["affinity", "tolerations", "topologySpreadConstraints", "priorityClassName"];

export interface InputOptions {
  /** Of objects that name none; another one's objects are refused. */
  readonly namespace?: string | undefined;
  /** To delete objects, their names are enough. */
  readonly check: boolean;
}

/**
 * Reads manifests: any number of YAML documents, or JSON values, a file.
 * @param files names and texts
 * @throws {InputError} that names all that is wrong
 */
export function readInput(
  files: readonly { readonly name: string; readonly text: string }[],
  { namespace, check }: InputOptions,
): Input {
  const problems: string[] = [];
  const notes: string[] = [];
  const given = new Map<string, Given>();
  const add = (where: string, object: TypedManifest): void => {
    const id = manifestId(object);
    const title = titleOf(object);
    const report = (message: string): void => {
      problems.push(`${where}: ${title}: ${message}`);
    };
    const first = given.get(id);
    if (first !== undefined) report(`it is in ${first.where} already`);
    else given.set(id, { ...object, where });
    const own = object.manifest.metadata.namespace;
    if (namespace !== undefined && own !== undefined && own !== namespace) {
      report(`metadata.namespace: ${JSON.stringify(own)}, ${JSON.stringify(namespace)} wanted`);
    }
    if (!check) return;
    checkManifest(object, report);
    notes.push(...unhonoured(object).map((field) => `${title}: ${field} is not honoured`));
  };
  const passOver = (where: string, { apiVersion, kind, metadata }: ForeignManifest): void => {
    const name = recordOf(metadata)["name"];
    const title = typeof name === "string" ? `${kind.toLowerCase()}/${name}` : kind;
    if (BESIDE_THE_NETWORK.has(`${apiVersion}/${kind}`)) {
      notes.push(`${title} skipped: nothing in the sandbox reads a ${kind}`);
    } else {
      const text = JSON.stringify(kind);
      problems.push(`${where}: ${title}: kind: ${text} of ${apiVersion}, one of ${TAKEN} wanted`);
    }
  };
  for (const { name, text } of files) {
    for (const [i, document] of documentsOf(name, text).entries()) {
      const where = `${name}, document ${i + 1} (line ${document.line})`;
      if ("reason" in document) {
        problems.push(`${where}: ${document.reason}`);
        continue;
      }
      try {
        const objects = readManifests(document.value, {
          ...namespace !== undefined && { namespace },
          passOver: (foreign) => passOver(where, foreign),
        });
        for (const object of objects) add(where, object);
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        problems.push(`${where}: ${error.message}`);
      }
    }
  }
  if (problems.length > 0) throw new InputError(problems);
  return { given: [...given.values()], notes };
}

/** Good and bad ones, as they stand in the file. */
function documentsOf(name: string, text: string): readonly (
  | { readonly line: number; readonly value: unknown }
  | { readonly line: number; readonly reason: string }
)[] {
  let { good, bad } = readDocuments(name, text);
  if (name === "-" && bad.length > 0) {
    // YAML has all of JSON but values that stand one after the other.
    const json = readDocuments("-.json", text);
    if (json.bad.length === 0) ({ good, bad } = json);
  }
  return [...good, ...bad].sort((a, b) => a.line - b.line);
}

function unhonoured({ type, manifest }: TypedManifest): string[] {
  const spec = recordOf(manifest["spec"]);
  const at = type === "pods" ? "spec" : "spec.template.spec";
  const pod = type === "pods" ? spec : recordOf(recordOf(spec["template"])["spec"]);
  return NOT_HONOURED.filter((field) => pod[field] !== undefined).map((field) => `${at}.${field}`);
}
