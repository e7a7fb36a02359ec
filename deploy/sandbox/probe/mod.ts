/**
 * Probes between network namespaces by real sockets: ICMP, TCP and UDP, both families.
 *
 * @module
 */
export * from "./echo_server.ts";
export * from "./matrix.ts";
export * from "./probe.ts";
