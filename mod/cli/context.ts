/** Where a command writes text. */
export interface TextSink {
  write(text: string): void;
}

/** Where a command reads octets, such as `Deno.stdin`. A web stream would cost the plugin 4 ms. */
export interface ByteSource {
  /** Fills the buffer's start; gives the number of octets, or `null` at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
}

/**
 * All that a command may know of its process. Commands get it injected, so that tests can run them
 * without a process, and only `main.ts` exits.
 */
export interface CommandContext {
  /** Arguments behind the command's name. */
  readonly args: readonly string[];
  readonly env: { get(name: string): string | undefined };
  readonly stdin: ByteSource;
  /** Protocol and results only. */
  readonly stdout: TextSink;
  /** Logs and messages for people. */
  readonly stderr: TextSink;
  /** Aborted by SIGTERM or SIGINT. */
  readonly signal: AbortSignal;
}

/** A command: runs until done or aborted, and answers with its exit code ({@link ExitCode}). */
export type Command = (context: CommandContext) => Promise<number>;
