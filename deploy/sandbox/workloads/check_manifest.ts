import {
  ConversionError,
  convert,
  Raw,
  readSelector,
  type Report,
  type TypedManifest,
  type Workload,
} from "@contiv/kubernetes";
import { type Kind, selects } from "@contiv/model";
import { isWorkload } from "./objects.ts";

/** More is a slip of the keyboard. */
export const MAX_REPLICAS = 1_000;

/** A pod's name becomes part of the name of its network namespace. */
const NAME = /^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/;
/** What pods' names are made of leaves room for what is added to it. */
const WORKLOAD_NAME = /^[a-z0-9]([-a-z0-9.]{0,44}[a-z0-9])?$/;
const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

const COMMON = ["apiVersion", "kind", "metadata"];
const FIELDS: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  endpointslices: [...COMMON, "addressType", "endpoints", "ports"],
};
/** Fields of workloads' specifications (apps/v1): another one is a slip of the keyboard. */
const SPEC_FIELDS: Readonly<Record<Workload, readonly string[]>> = {
  Deployment: [
    ...["replicas", "selector", "template", "strategy", "minReadySeconds"],
    ...["revisionHistoryLimit", "paused", "progressDeadlineSeconds"],
  ],
  ReplicaSet: ["replicas", "selector", "template", "minReadySeconds"],
  StatefulSet: [
    ...["replicas", "selector", "template", "serviceName", "updateStrategy", "minReadySeconds"],
    ...["volumeClaimTemplates", "podManagementPolicy", "revisionHistoryLimit"],
    ...["persistentVolumeClaimRetentionPolicy", "ordinals"],
  ],
  DaemonSet: ["selector", "template", "updateStrategy", "minReadySeconds", "revisionHistoryLimit"],
};

/** Reports what the API server would refuse, and what the sandbox cannot run, by its field. */
export function checkManifest(object: TypedManifest, report: Report): void {
  const { type, manifest } = object;
  const raw = Raw.of(manifest, report);
  const metadata = raw.at("metadata");
  const pattern = isWorkload(object) ? WORKLOAD_NAME : NAME;
  const longest = isWorkload(object) ? 46 : 63;
  const wanted = `lower case letters, digits, dashes and dots, ${longest} at most,`;
  metadata.at("name").parsed((text) => pattern.test(text) || undefined, wanted);
  const isLabel = (text: string): true | undefined => NAMESPACE.test(text) || undefined;
  metadata.at("namespace").parsed(isLabel, "lower case letters, digits and dashes, 63 at most,");
  for (const field of ["labels", "annotations"]) metadata.at(field).map();
  if (isWorkload(object)) {
    onlyKnown(raw, [...COMMON, "spec", "status"]);
    return checkWorkload(object.type, raw, report);
  }
  const kind = type as Kind;
  onlyKnown(raw, FIELDS[kind] ?? [...COMMON, "spec", "status"]);
  checkAs(kind, manifest, report);
  if (kind === "pods") checkPodSpec(raw.at("spec"));
}

function checkAs(kind: Kind, manifest: unknown, report: Report): void {
  try {
    convert(kind, manifest, report);
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    report(error.message);
  }
}

function checkWorkload(type: Workload, raw: Raw, report: Report): void {
  const spec = raw.at("spec");
  onlyKnown(spec, SPEC_FIELDS[type]);
  spec.at("replicas").integer(0, MAX_REPLICAS);
  const template = spec.at("template");
  for (
    const [field, part] of [["selector", spec.at("selector")], ["template", template]] as const
  ) {
    if (!part.exists) report(`spec.${field}: missing, one wanted`);
  }
  const metadata = template.at("metadata");
  metadata.at("annotations").map();
  const selector = readSelector(spec.at("selector"));
  if (spec.at("selector").exists && template.exists) {
    const isEmpty = selector?.labels.size === 0 && selector.expressions.length === 0;
    if (selector === undefined || isEmpty) {
      spec.at("selector").refuse("labels that select its pods");
    } else if (!selects(selector, metadata.at("labels").map())) {
      metadata.at("labels").refuse("labels that spec.selector selects");
    }
  }
  const pod = { metadata: { name: "x", namespace: "x" }, spec: template.at("spec").value };
  checkAs("pods", pod, (message) => report(`spec.template.${message}`));
  checkPodSpec(template.at("spec"));
}

function checkPodSpec(spec: Raw): void {
  spec.at("nodeName").text();
  spec.at("nodeSelector").map();
  if (spec.at("hostNetwork").value === true) {
    spec.at("hostNetwork").refuse("a pod with a network of its own, as the sandbox runs no other,");
  }
}

function onlyKnown(raw: Raw, known: readonly string[]): void {
  const { value } = raw;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return;
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) raw.at(key).refuse(`no such field but ${known.join(", ")}`);
  }
}
