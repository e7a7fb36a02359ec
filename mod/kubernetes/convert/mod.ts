/**
 * Kubernetes' API objects, as JSON, into the model's. The only room that knows their fields. Pure.
 *
 * @module
 */
export * from "./convert.ts";
export { SERVICE_NAME_LABEL } from "./convert_endpoint_slice.ts";
export { readSelector } from "./convert_network_policy.ts";
export * from "./lenient_address.ts";
export * from "./metadata.ts";
export * from "./raw.ts";
