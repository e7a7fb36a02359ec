/**
 * `contiv store`: serves the part of etcd's v3 API that contiv uses on one SQLite file. Touches that
 * file and the addresses it is told to listen on.
 *
 * @module
 */
export * from "./data_file_error.ts";
export * from "./engine.ts";
export * from "./listen_address.ts";
export * from "./store_server.ts";
