/** Where a command writes text. */
export interface TextSink {
  write(text: string): void;
}

/**
 * All that a command may know of its process. Commands get it injected, so that tests can run them
 * without a process, and only `main.ts` exits.
 */
export interface CommandContext {
  /** Arguments behind the command's name. */
  readonly args: readonly string[];
  readonly env: { get(name: string): string | undefined };
  readonly stdin: ReadableStream<Uint8Array>;
  /** Protocol and results only. */
  readonly stdout: TextSink;
  /** Logs and messages for people. */
  readonly stderr: TextSink;
  /** Aborted by SIGTERM or SIGINT. */
  readonly signal: AbortSignal;
}

/** A command: runs until done or aborted, and answers with its exit code ({@link ExitCode}). */
export type Command = (context: CommandContext) => Promise<number>;
