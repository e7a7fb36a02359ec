/**
 * Cluster state: one interface on etcd's v3 API, and the client that fulfils it against etcd or the
 * embedded `contiv store`. Knows no role and no meaning of keys or values. Only the client touches
 * the outside world, by the endpoints it is given.
 *
 * @module
 */
export * from "./client/etcd_store.ts";
export * from "./client/etcd_store_options.ts";
export * from "./client/store_access.ts";
export * from "./election.ts";
export * from "./health.ts";
export * from "./key_range.ts";
export * from "./key_value.ts";
export * from "./lease.ts";
export * from "./store.ts";
export * from "./store_error.ts";
export * from "./transaction.ts";
export * from "./watch.ts";
