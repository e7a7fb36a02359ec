/**
 * Which addresses a node's pods get: the node's prefixes out of the cluster's, and who holds what.
 * Pure: no clock, no files; what must survive a restart is given to `rebuild`.
 *
 * @module
 */
export * from "./address_pool.ts";
export * from "./error.ts";
export * from "./ipam.ts";
export * from "./node_prefix.ts";
