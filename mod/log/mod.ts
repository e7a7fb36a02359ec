/**
 * Structured logs: one line per event, `key=value`. Pure but for the injected writer and clock.
 *
 * @module
 */
export * from "./logger.ts";
