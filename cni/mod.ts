/**
 * The CNI plugin: one process per call of the container runtime, which packs the call into one gRPC
 * request to the agent. Uses `mod/cni_spec` and `mod/rpc`; touches its environment, standard
 * streams and the agent's socket, all handed in but the last.
 *
 * @module
 */
export * from "./command.ts";
