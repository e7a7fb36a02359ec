/**
 * What a source of cluster state is to the reflectors.
 *
 * @module
 */
export * from "./backoff.ts";
export * from "./problem.ts";
export * from "./source.ts";
