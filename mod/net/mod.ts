/**
 * Addresses, prefixes, MAC addresses and checksums. Pure: values in, values out; touches neither
 * Deno, nor a clock, nor the network.
 *
 * @module
 */
export * from "./checksum.ts";
export * from "./error.ts";
export * from "./ip.ts";
export * from "./mac.ts";
export * from "./packet/mod.ts";
export * from "./prefix.ts";
