/**
 * Configuration from JSON, checked as it is read: each error names path, value and what is wanted.
 * Pure; the caller reads the file.
 *
 * @module
 */
export * from "./config_error.ts";
export * from "./config_reader.ts";
