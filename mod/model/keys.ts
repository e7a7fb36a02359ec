import { isNamespaced, type Kind, KINDS } from "./kind.ts";

/** All that contiv keeps in a store that others may use too. A change of the layout changes `v1`. */
const ROOT = "/contiv/v1/";

/** Under it stand the objects, `KIND/NAMESPACE/NAME` or `KIND/NAME`, and the marks of {@link syncedKey}. */
export const STATE_PREFIX = `${ROOT}state/`;

/** The election of the one that writes the state. */
export const KSR_ELECTION = `${ROOT}ksr/leader`;

/** What the one that writes the state says about itself. */
export const KSR_STATUS_KEY = `${ROOT}ksr/status`;

const SYNCED = "synced";

export function kindPrefix(kind: Kind): string {
  return `${STATE_PREFIX}${kind}/`;
}

/** @param id as of {@link objectId} */
export function objectKey(kind: Kind, id: string): string {
  return `${STATE_PREFIX}${kind}/${id}`;
}

/**
 * Stands there once all objects of the kind have been written to this store. A store that came back
 * empty lacks it: what is missing there is not yet known to be gone.
 */
export function syncedKey(kind: Kind): string {
  return `${STATE_PREFIX}${SYNCED}/${kind}`;
}

export type StateKey =
  | { readonly type: "object"; readonly kind: Kind; readonly id: string }
  | { readonly type: "synced"; readonly kind: Kind };

/** What a key stands for; `undefined` for those that this version does not know. */
export function parseStateKey(key: string): StateKey | undefined {
  if (!key.startsWith(STATE_PREFIX)) return undefined;
  const slash = key.indexOf("/", STATE_PREFIX.length);
  if (slash < 0) return undefined;
  const folder = key.slice(STATE_PREFIX.length, slash);
  const id = key.slice(slash + 1);
  if (folder === SYNCED) {
    const kind = KINDS.find((each) => each === id);
    return kind && { type: "synced", kind };
  }
  const kind = KINDS.find((each) => each === folder);
  if (kind === undefined) return undefined;
  const names = id.split("/");
  if (names.length !== (isNamespaced(kind) ? 2 : 1) || names.includes("")) return undefined;
  return { type: "object", kind, id };
}

/** The cluster's configuration: one document, of `parseClusterConfig`. */
export const CLUSTER_CONFIG_KEY = `${ROOT}config/cluster`;

/** All that agents follow: state, records of nodes, configuration. */
export const CLUSTER_PREFIX = ROOT;

/** Under it stand nodes' records, by name. */
export const NODE_PREFIX = `${ROOT}nodes/`;

/** Under it stand nodes' names, by the IDs that they hold. */
export const NODE_ID_PREFIX = `${ROOT}node-ids/`;

export function nodeRecordKey(name: string): string {
  return `${NODE_PREFIX}${name}`;
}

export function nodeIdKey(id: number): string {
  return `${NODE_ID_PREFIX}${id}`;
}
