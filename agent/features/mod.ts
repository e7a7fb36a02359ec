/**
 * Features: pure functions from a slice of state to items. They know neither VPP's nor Linux'
 * calls, only the items that descriptors turn into them.
 *
 * @module
 */
export * from "./gateway.ts";
export * from "./host.ts";
export * from "./neighbour_limits.ts";
export * from "./nodes.ts";
export * from "./outside.ts";
export * from "./overlay.ts";
export * from "./pods.ts";
