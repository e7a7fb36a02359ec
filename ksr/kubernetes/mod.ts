/**
 * The Kubernetes API as a source: credentials by Kubernetes' own client, lists and watches of our
 * own. Loaded only where it is used, since that client is large.
 *
 * @module
 */
export * from "./api_access.ts";
export * from "./api_error.ts";
export * from "./find_access.ts";
export * from "./kube_config_access.ts";
export * from "./kubernetes_source.ts";
export type { ListWatchTiming } from "./list_watch.ts";
