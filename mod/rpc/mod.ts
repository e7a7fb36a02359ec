/**
 * gRPC between the CNI plugin and the agent: the messages of `cni.proto` with their codec, a unary
 * client small enough for a process that lives for one call, a unary server that keeps nothing of a
 * connection, and the service for grpc-js. Touches only the Unix socket that a call names, or the
 * server is given.
 *
 * @module
 */
export * from "./cni_codec.ts";
export * from "./cni_path.ts";
export * from "./cni_service.ts";
export * from "./decode_error.ts";
export * from "./rpc_error.ts";
export * from "./unary_client.ts";
export * from "./unary_server.ts";
