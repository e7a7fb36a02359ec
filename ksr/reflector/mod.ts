/**
 * Writes into the store what a source says, and nothing else.
 *
 * @module
 */
export type { Counters } from "./counters.ts";
export * from "./reflector.ts";
export * from "./reflector_status.ts";
export * from "./state_store.ts";
