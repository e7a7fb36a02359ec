/**
 * What the agent does and has, as JSON over HTTP on a Unix socket. Reads the agent; changes nothing
 * but on `POST /resync`, and what VPP traces on `POST /trace`.
 *
 * @module
 */
export * from "./echo.ts";
export * from "./joining_handler.ts";
export * from "./status_handler.ts";
export * from "./status_server.ts";
