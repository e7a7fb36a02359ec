/**
 * gRPC between the CNI plugin and the agent: the messages of `cni.proto` with their codec, the
 * service for a grpc-js server, and a unary client small enough for a process that lives for one
 * call. Touches only the Unix socket that a call names.
 *
 * @module
 */
export * from "./cni_codec.ts";
export * from "./cni_path.ts";
export * from "./cni_service.ts";
export * from "./decode_error.ts";
export * from "./rpc_error.ts";
export * from "./unary_client.ts";
