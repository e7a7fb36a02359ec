/**
 * What every command shares: its context, flags and exit codes. Built on `node:util`, since deno
 * std's `@std/cli` cannot be reached where contiv is built. Touches no process state: `main.ts`
 * does.
 *
 * @module
 */
export * from "./context.ts";
export * from "./exit_code.ts";
export * from "./parse_flags.ts";
export * from "./usage_error.ts";
