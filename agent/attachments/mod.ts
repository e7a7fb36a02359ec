/**
 * The node's attachments as they must survive the agent's death: keys, states, addresses. Touches
 * one SQLite file. README.md says what a crash at each point leaves and who cleans it up.
 *
 * @module
 */
export * from "./attachment.ts";
export * from "./attachment_fault.ts";
export * from "./attachment_store.ts";
export * from "./error.ts";
export * from "./pod_identity.ts";
