/**
 * Probes between network namespaces by real sockets: ICMP, TCP and UDP, both families,
 * and the source address that each receiver saw.
 *
 * @module
 */
export * from "./matrix.ts";
export * from "./probe.ts";
export * from "./probe_server.ts";
