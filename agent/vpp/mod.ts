/**
 * The agent's connection to VPP and what supervises it. Touches VPP's API, over its socket or shared
 * memory, and the process of a VPP that the agent starts itself.
 *
 * @module
 */
export * from "./sqlite_vpp_memory.ts";
export * from "./supervise_vpp.ts";
export * from "./vpp_connection.ts";
export * from "./vpp_connector.ts";
export * from "./vpp_features.ts";
export * from "./vpp_exit.ts";
export * from "./vpp_layout_error.ts";
export * from "./vpp_supervisor.ts";
