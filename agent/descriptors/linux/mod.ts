/**
 * Descriptors of what contiv makes in containers' network namespaces, one kind each, over
 * {@link Namespaces}. Touches the kernel through `ffi/libc` only, and nothing that is not on a
 * device of the attachment's own.
 *
 * @module
 */
export type { InNamespaceOptions } from "./_in_namespace.ts";
export * from "./address_descriptor.ts";
export * from "./device_arrivals.ts";
export * from "./device_error.ts";
export * from "./link_descriptor.ts";
export * from "./linux_namespaces.ts";
export * from "./namespace_error.ts";
export * from "./namespaces.ts";
export * from "./neighbour_descriptor.ts";
export * from "./route_descriptor.ts";
export * from "./source_route_descriptor.ts";
export * from "./sysctl_descriptor.ts";
