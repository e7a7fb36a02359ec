import type { NetNs } from "@contiv/libc";
import { denoFlags, type Permissions, ROLE_PERMISSIONS } from "@contiv/permissions";
import type { ProcessRecord } from "./state.ts";

/** The directory of the program's source, which has `main.ts`; none in the compiled binary. */
const SOURCE = Deno.build.standalone
  ? undefined
  : new URL("../../", import.meta.url).pathname.replace(/\/$/, "");

/**
 * The words that start this very program: the compiled binary, which itself gives back what a role
 * does not need, or Deno on `main.ts`.
 *
 * @param permissions what it may do; without, what `contiv sandbox` may
 */
export function selfCommand(
  permissions: Permissions = ROLE_PERMISSIONS.sandbox(),
): readonly string[] {
  if (SOURCE === undefined) return [Deno.execPath()];
  return [Deno.execPath(), "run", "--quiet", ...denoFlags(permissions), `${SOURCE}/main.ts`];
}

/** Where a role's code is, for its permissions. */
export function codeSite(): { readonly source?: string } {
  return SOURCE === undefined ? {} : { source: SOURCE };
}

/**
 * The start time of a process, or `undefined` where there is none, or only its zombie. While the
 * kernel ends its threads, the first may be a zombie and the others still hold files and locks.
 */
export function startTime(pid: number): string | undefined {
  let stat: string;
  let threads: number;
  try {
    stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    threads = [...Deno.readDirSync(`/proc/${pid}/task`)].length;
  } catch (error) {
    // ESRCH where the process ends between open and read.
    if (error instanceof Deno.errors.NotFound || error instanceof Error) return undefined;
    throw error;
  }
  // The second field, the name, is in parentheses and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" && threads <= 1 ? undefined : fields[19];
}

/** Whether this very process still runs. */
export function isRunning(process: ProcessRecord): boolean {
  return startTime(process.pid) === process.startTime;
}

/**
 * Starts a role in a namespace, detached, with its output appended to a log file.
 *
 * @throws {Error} if it ends at once
 */
export function startRole(
  role: ProcessRecord["role"],
  command: readonly string[],
  netns: NetNs,
  log: string,
): ProcessRecord {
  const child = netns.run(() =>
    new Deno.Command("/bin/sh", {
      // The shell gives the log file as output and is then replaced by the role.
      args: ["-c", 'log=$1; shift; exec "$@" >>"$log" 2>&1', "sh", log]
        .concat(command),
      stdin: "null",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn()
  );
  child.unref();
  const started = startTime(child.pid);
  if (started === undefined) throw new Error(`Cannot start ${role}: it ended at once, see ${log}`);
  return { role, pid: child.pid, startTime: started };
}

/** SIGTERM or SIGKILL, and milliseconds to wait for the end. */
type Attempt = readonly [signal: "SIGTERM" | "SIGKILL", limitMs: number];

const KILL: Attempt = ["SIGKILL", 2_000];

/**
 * Ends a process: SIGTERM, and SIGKILL for what stays longer than `graceMs`.
 *
 * @throws {Error} if it outlives even that by 2 s
 */
export async function stopProcess(process: ProcessRecord, graceMs = 6_000): Promise<void> {
  await endProcess(process, [["SIGTERM", graceMs], KILL]);
}

/** Ends a process by SIGKILL. @throws {Error} if it outlives that by 2 s */
export async function killProcess(process: ProcessRecord): Promise<void> {
  await endProcess(process, [KILL]);
}

async function endProcess(process: ProcessRecord, attempts: readonly Attempt[]): Promise<void> {
  for (const [signal, limitMs] of attempts) {
    if (!isRunning(process)) return;
    try {
      Deno.kill(process.pid, signal);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw error;
    }
    const deadline = Date.now() + limitMs;
    while (Date.now() < deadline) {
      if (!isRunning(process)) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  throw new Error(
    `Cannot end ${process.role} (process ${process.pid}): it still runs after SIGKILL`,
  );
}
