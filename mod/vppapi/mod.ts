/**
 * VPP's binary API: a schema of its messages, codecs made from it, the socket's framing and
 * handshake, a typed client, and the same tables for a server. Knows no role. Only
 * `SocketTransport` (and what connects through it) and `ApiDirectory` touch the outside world;
 * codecs and framing are pure.
 *
 * @module
 */

export * from "./api_directory.ts";
export * from "./api_error.ts";
export * from "./api_files.ts";
export * from "./byte_writer.ts";
export * from "./client.ts";
export * from "./client_options.ts";
export * from "./codec.ts";
export * from "./deep_partial.ts";
export * from "./error.ts";
export * from "./frame.ts";
export * from "./handshake.ts";
export * from "./layout.ts";
export * from "./layout_choice.ts";
export * from "./memory_transport.ts";
export * from "./message_table.ts";
export * from "./messages.ts";
export * from "./releases.ts";
export * from "./retval.ts";
export * from "./schema.ts";
export * from "./schema_document.ts";
export * from "./socket_transport.ts";
export * from "./transport.ts";
