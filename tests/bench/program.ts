import type { NetNs } from "@contiv/libc";

export interface Program {
  readonly command: readonly string[];
  /** The whole environment, but for what finds programs and caches. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Where it runs. @default the bench's own namespace */
  readonly ns?: NetNs;
  readonly signal: AbortSignal;
}

/** How a program ran. */
export interface ProgramResult {
  /** Milliseconds from its start until its end and output have been seen. */
  readonly ms: number;
  readonly stdout: string;
}

const LIMIT_MS = 60_000;

/**
 * Runs a program to its end and takes the time, the same way for us and for every peer.
 *
 * @throws {Error} with its output, for a non-zero exit, the time limit or an interrupt
 */
export async function runProgram(program: Program): Promise<ProgramResult> {
  const [name = "", ...args] = program.command;
  const start = performance.now();
  const child = startProgram(program, "piped");
  const writer = child.stdin.getWriter();
  // A program that does not read its input is not at fault.
  await writer.write(new TextEncoder().encode(program.stdin ?? "")).catch(() => {});
  await writer.close().catch(() => {});
  const output = await child.output();
  const ms = performance.now() - start;
  program.signal.throwIfAborted();
  const stdout = new TextDecoder().decode(output.stdout);
  if (output.code !== 0) {
    const stderr = new TextDecoder().decode(output.stderr);
    throw new Error(`${name} ${args.join(" ")} ended with ${output.code}:\n${stdout}${stderr}`);
  }
  return { ms, stdout };
}

/** Starts a program that stays, such as a server, and ends it with the returned object. */
export function serveProgram(program: Program): AsyncDisposable {
  const child = startProgram(program, "null");
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      try {
        child.kill("SIGKILL");
      } catch (error) {
        // It has ended by itself.
        if (!(error instanceof TypeError)) throw error;
      }
      await child.status;
    },
  };
}

function startProgram(
  { command, env, ns, signal }: Program,
  streams: "piped" | "null",
): Deno.ChildProcess {
  const [name = "", ...args] = command;
  const inherited = ["PATH", "HOME", "DENO_DIR"].flatMap((key) => {
    const value = Deno.env.get(key);
    return value === undefined ? [] : [[key, value]];
  });
  const limit = streams === "piped" ? [AbortSignal.timeout(LIMIT_MS)] : [];
  const spawn = (): Deno.ChildProcess =>
    new Deno.Command(name, {
      args,
      clearEnv: true,
      env: { ...Object.fromEntries(inherited), ...env },
      stdin: streams,
      stdout: streams,
      stderr: streams,
      signal: AbortSignal.any([signal, ...limit]),
    }).spawn();
  return ns === undefined ? spawn() : ns.run(spawn);
}
