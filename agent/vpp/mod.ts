/**
 * The agent's connection to VPP and what supervises it. Touches VPP's API socket only.
 *
 * @module
 */
export * from "./vpp_connection.ts";
export * from "./vpp_layout_error.ts";
