/** The Kubernetes pod that a container belongs to. */
export interface PodIdentity {
  readonly namespace: string;
  readonly name: string;
  /** Empty where the runtime does not say. */
  readonly uid: string;
}

/**
 * The pod named by `CNI_ARGS`: `K8S_POD_NAMESPACE`, `K8S_POD_NAME` and `K8S_POD_UID` among pairs
 * such as `IgnoreUnknown=1;K8S_POD_NAME=web`. Other pairs are passed over.
 *
 * @returns `undefined` unless namespace and name are both there
 */
export function parsePodIdentity(args: string): PodIdentity | undefined {
  const pairs = new Map<string, string>();
  for (const pair of args.split(";")) {
    const at = pair.indexOf("=");
    if (at > 0) pairs.set(pair.slice(0, at), pair.slice(at + 1));
  }
  const namespace = pairs.get("K8S_POD_NAMESPACE");
  const name = pairs.get("K8S_POD_NAME");
  if (!namespace || !name) return undefined;
  return { namespace, name, uid: pairs.get("K8S_POD_UID") ?? "" };
}
