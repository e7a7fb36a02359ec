/**
 * VPP's own client library, libvppapiclient, through Deno's FFI: the binary API over shared memory
 * as a {@link Transport} for `VppClient`, and VPP's counters. Knows no role of contiv. Touches
 * nothing before {@link VppApiClientLibrary.open} is called.
 *
 * @module
 */
export * from "./counters.ts";
export { VppLibraryError, VppStatsError } from "./error.ts";
export type { VppLibraryCode, VppStatsCode } from "./error.ts";
export { VppApiClientLibrary } from "./library.ts";
export { type SharedMemoryOptions, SharedMemoryTransport } from "./shared_memory_transport.ts";
export { StatsClient, type StatsOptions } from "./stats_client.ts";
export { type StatValue, sumCounter } from "./stat_value.ts";
