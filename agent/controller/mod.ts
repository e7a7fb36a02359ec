/**
 * What the agent does: events, the life of attachments, and the agent that holds all parts. Touches
 * the world through descriptors, namespaces, the attachment store and VPP's connection only.
 *
 * @module
 */
export * from "./agent.ts";
export * from "./agent_event.ts";
export * from "./attachment_controller.ts";
export * from "./cni_code.ts";
export * from "./deletions.ts";
export * from "./keyed_lock.ts";
export * from "./network_controller.ts";
