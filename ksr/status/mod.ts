/**
 * What a `contiv ksr` does and has, as JSON over HTTP on a Unix socket.
 *
 * @module
 */
export * from "./ksr_status.ts";
export * from "./status_handler.ts";
export * from "./status_server.ts";
