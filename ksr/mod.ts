/**
 * Reflects cluster state into the store: sources (the Kubernetes API, a directory of manifests) to
 * reflectors to store. The only room that speaks to Kubernetes. Uses `mod/`; knows no other role.
 *
 * @module
 */
export { ksrCommand } from "./command.ts";
export * from "./ksr.ts";
