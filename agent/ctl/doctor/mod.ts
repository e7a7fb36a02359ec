/**
 * What is wrong with a cluster, and how to mend it. Pure: what was seen in, findings out.
 *
 * @module
 */
export * from "./diagnose.ts";
export * from "./examination.ts";
export * from "./finding.ts";
