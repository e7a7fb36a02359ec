/**
 * CNI for the plugin: gRPC on a Unix socket, requests checked and carried out, results in the form
 * of the version that was asked for. Touches the socket and the attachments.
 *
 * @module
 */
export * from "./add_result.ts";
export * from "./cni_handler.ts";
export * from "./cni_server.ts";
