/**
 * The kinds of items that features render and descriptors make: their values and keys. Pure.
 *
 * @module
 */
export * from "./equal.ts";
export * from "./linux_items.ts";
export * from "./vpp_items.ts";
