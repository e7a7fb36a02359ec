/**
 * The cluster as this node sees it: its own ID, the other nodes, and a local mirror of the store.
 * Touches the store, by its interface, and one SQLite file.
 *
 * @module
 */
export * from "./cluster_member.ts";
export * from "./cluster_mirror.ts";
export * from "./cluster_source.ts";
export * from "./identity_error.ts";
export * from "./node_claims.ts";
export * from "./node_directory.ts";
export * from "./node_identity.ts";
