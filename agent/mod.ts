/**
 * The agent: turns cluster state and CNI requests into VPP and Linux configuration, and keeps it
 * right. Uses `mod/` and `ffi/`; knows no other role.
 *
 * @module
 */
export { agentCommand } from "./command.ts";
