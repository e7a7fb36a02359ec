import { LibcError } from "./error.ts";
import { readKernelFile } from "./kernel_file.ts";
import type { Libc } from "./libc.ts";

/**
 * When a living process of this PID namespace was started, in ticks since boot: field 22 of
 * proc_pid_stat(5). With it, a number that was given out again is another process's.
 *
 * @returns undefined if there is none, or only its zombie
 */
export function processStart(libc: Libc, pid: number): string | undefined {
  try {
    const text = readKernelFile(libc, `/proc/${pid}/stat`);
    // The name may hold spaces and parentheses: count from its end.
    const [state, ...rest] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return state === "Z" || state === "X" ? undefined : rest[18];
  } catch (error) {
    if (error instanceof LibcError) return undefined;
    throw error;
  }
}
