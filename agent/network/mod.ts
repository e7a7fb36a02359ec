/**
 * What the network's features stand on: a node as others need to know it, and all addresses that
 * follow from its ID. Pure.
 *
 * @module
 */
export * from "./node_mtu.ts";
export * from "./node_network.ts";
