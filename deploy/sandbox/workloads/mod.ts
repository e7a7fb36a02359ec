/**
 * Kubernetes' controllers and scheduler for a sandbox: manifests in, pods on nodes out. Pure.
 *
 * @module
 */
export * from "./changes.ts";
export { MAX_REPLICAS } from "./check_manifest.ts";
export * from "./controllers.ts";
export * from "./input_error.ts";
export * from "./objects.ts";
export * from "./read_input.ts";
export * from "./reflected.ts";
