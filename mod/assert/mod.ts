/**
 * The assertions that tests use, on `node:assert/strict`. deno std's registry is not reachable
 * where contiv is built; its names are kept so that a switch is one line of the import map.
 *
 * @module
 */
export * from "./assert.ts";
