/**
 * The operator's commands: look at the cluster state that is in the store. Reads; changes nothing.
 *
 * @module
 */
export { ctlCommand } from "./command.ts";
