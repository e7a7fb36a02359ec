/**
 * A cluster on one machine: nodes and pods are network namespaces, and every process is one of
 * contiv's roles, started as a process. Imports no role.
 *
 * @module
 */
export { sandboxCommand } from "./command.ts";
