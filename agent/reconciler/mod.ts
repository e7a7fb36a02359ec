/**
 * Keeps the outside world as wanted: a graph of desired items, a pure planner, an executor that
 * has descriptors do the work, retries, history, and the one writer loop. Knows no kind of item,
 * and touches nothing but timers and what its caller injects: descriptors, clock and logger.
 *
 * @module
 */
export * from "./api.ts";
export * from "./error.ts";
export * from "./event_queue.ts";
export * from "./history.ts";
export * from "./loop.ts";
export * from "./reconciler.ts";
export * from "./transaction.ts";
