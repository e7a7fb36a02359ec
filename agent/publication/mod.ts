/**
 * What this node's agent tells in the store of its own data plane, for operators and for itself after
 * the loss of its disk. Off the path of CNI calls: they only mark what has changed. Touches the
 * store, by its interface, and reads the agent.
 *
 * @module
 */
export * from "./agent_beacon.ts";
export * from "./node_documents.ts";
export * from "./publication.ts";
export * from "./publisher.ts";
export * from "./restore_attachments.ts";
