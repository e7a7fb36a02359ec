/**
 * The packet plane of the embedded vswitch: interfaces, neighbours, routes, and `process`, which
 * takes a frame through them as VPP would. Pure: touches neither Deno, nor a clock, nor the
 * network, nor `ffi/`.
 *
 * @module
 */
export type { NeighborConfig } from "./control/neighbors.ts";
export * from "./dataplane.ts";
export { FibSource } from "./fib/source.ts";
export { MacFlag } from "./l2/bridge_domain.ts";
export type { VxlanKey } from "./l2/vxlan_tunnel.ts";
export * from "./retval.ts";
export * from "./types.ts";
