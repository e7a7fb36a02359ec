/**
 * What a process may do, in the words of Deno's permissions; a kind that is absent is nothing at all.
 * `all` stands for what cannot be told beforehand, with the reason at the place that says so.
 */
export interface Permissions {
  /** Paths of files, and of directories with all below. */
  readonly read?: readonly string[] | "all";
  readonly write?: readonly string[] | "all";
  /** `unix:PATH`, or `HOST:PORT`. */
  readonly net?: readonly string[] | "all";
  /** Names of environment variables. */
  readonly env?: readonly string[] | "all";
  /** Kinds of information on the machine, such as `hostname`. */
  readonly sys?: readonly string[] | "all";
  /** Programs. */
  readonly run?: readonly string[] | "all";
  /** Code from the network. */
  readonly import?: "all";
  /** Calling C: whoever may call the C library may do all that the kernel lets the process do. */
  readonly ffi?: "all";
}

/** The kinds, in the order in which they are told. */
export const PERMISSION_KINDS = [
  "read",
  "write",
  "net",
  "env",
  "sys",
  "run",
  "import",
  "ffi",
] as const satisfies readonly (keyof Permissions)[];
