/**
 * What each role may do: the table, and the flags of `deno run` that it makes. Gives back what a role lacks; touches
 * nothing else.
 *
 * @module
 */
export * from "./deno_flags.ts";
export * from "./permissions.ts";
export * from "./role_permissions.ts";
export * from "./give_back.ts";
export * from "./keep_only.ts";
export * from "./render_permissions.ts";
