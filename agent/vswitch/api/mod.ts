/**
 * VPP's binary API on its socket: handshake, message table, clients, events, and a handler per
 * message. Reads and writes byte streams that it is given; only `api_socket.ts` listens.
 *
 * @module
 */
export * from "./api_socket.ts";
export * from "./event_hub.ts";
export * from "./handler.ts";
export * from "./server.ts";
export type { Channel } from "./session.ts";
