/**
 * Descriptors of what contiv makes in VPP, one kind each, over its binary API. Objects are ours by
 * tag, by the interface they are on, or by prefix; nothing else in VPP is touched.
 *
 * @module
 */
export * from "./address_descriptor.ts";
export * from "./bridge_descriptor.ts";
export * from "./bridge_mac_descriptor.ts";
export * from "./bridge_port_descriptor.ts";
export * from "./cnat_descriptor.ts";
export * from "./interface_descriptor.ts";
export * from "./interface_owners.ts";
export * from "./interface_state_descriptor.ts";
export * from "./loopback_descriptor.ts";
export * from "./neighbour_descriptor.ts";
export * from "./neighbour_limit_descriptor.ts";
export type { PodLinkMeta } from "./pod_link.ts";
export * from "./route_descriptor.ts";
export * from "./sender_check_descriptor.ts";
export * from "./sender_list_descriptor.ts";
export * from "./snat_descriptor.ts";
export * from "./snat_exclusion_descriptor.ts";
export * from "./source_check_descriptor.ts";
export * from "./unnumbered_descriptor.ts";
export * from "./uplink_descriptor.ts";
export * from "./vpp_access.ts";
export * from "./vpp_memory.ts";
export * from "./vxlan_descriptor.ts";
