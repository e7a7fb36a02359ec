/**
 * The packet plane of the embedded vswitch: interfaces, neighbours, routes, and `process`, which
 * takes a frame through them as VPP would. Pure: touches neither Deno, nor a clock, nor the
 * network, nor `ffi/`.
 *
 * @module
 */
export * from "./dataplane.ts";
export * from "./retval.ts";
export * from "./types.ts";
