/**
 * The commands of VPP's debug CLI that an operator or a test uses, in VPP's words and layout. Pure
 * text over the data plane's control surface.
 *
 * @module
 */
export * from "./command.ts";
export * from "./run_command.ts";
