import { readStatus } from "./agent_status.ts";
import { isRunning } from "./role_process.ts";
import type { ProcessRecord } from "./state.ts";

/** How long a role may take until it answers. */
const LIMIT_MS = 20_000;

export interface ReadyOptions {
  /** What is waited for, e.g. `node1`. */
  readonly what: string;
  /** Where `/readyz` is asked. */
  readonly socket: string;
  /** What has to run meanwhile. */
  readonly processes: readonly ProcessRecord[];
  readonly logOf: (role: ProcessRecord["role"]) => string;
  readonly signal: AbortSignal;
}

/**
 * Waits until a role says that it is ready.
 * @throws {Error} after 20 s, or with the last words of a process that ended
 */
export async function untilReady(
  { logOf, processes, signal, socket, what }: ReadyOptions,
): Promise<void> {
  const deadline = Date.now() + LIMIT_MS;
  let last = "no answer yet";
  while (Date.now() < deadline) {
    signal.throwIfAborted();
    const ended = processes.find((process) => !isRunning(process));
    if (ended !== undefined) {
      const words = Deno.readTextFileSync(logOf(ended.role)).trimEnd().split("\n").slice(-5);
      throw new Error(
        `Cannot start ${ended.role}: it ended. Its last words:\n${words.join("\n")}`,
      );
    }
    const { body, status } = await readStatus(socket, "/readyz");
    if (status === 200) return;
    last = body;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`Cannot start ${what}: it was not ready within ${LIMIT_MS / 1000} s: ${last}`);
}
