/**
 * Cluster state as contiv stores it: what the roles need of namespaces, nodes, pods, services,
 * endpoint slices and network policies, their keys, their encoding and their meaning. Knows neither
 * Kubernetes' own types nor any role. Pure: values in, values out.
 *
 * @module
 */
export * from "./address_index.ts";
export * from "./cluster_config.ts";
export * from "./cluster_object.ts";
export * from "./cluster_state.ts";
export * from "./codec.ts";
export * from "./endpoint_slice.ts";
export * from "./keys.ts";
export * from "./kind.ts";
export * from "./labels.ts";
export * from "./model_error.ts";
export * from "./namespace.ts";
export * from "./network_policy.ts";
export * from "./node.ts";
export * from "./node_record.ts";
export * from "./pod.ts";
export * from "./protocol.ts";
export * from "./selector.ts";
export * from "./service.ts";
export * from "./vswitch_agent.ts";
export * from "./vswitch_node.ts";
export * from "./vswitch_pod.ts";
export * from "./vswitch_state.ts";
