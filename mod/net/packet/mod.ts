/**
 * Packets as octets: layouts, builders and parsers. Pure. The builders make whole packets with
 * right checksums for tests and probes; what forwards packets uses the layouts only.
 *
 * @module
 */
export * from "./build.ts";
export * from "./layout.ts";
export * from "./parse.ts";
