import { type Libc, LibcError, listKernelDirectory, readKernelFile } from "@contiv/libc";

/**
 * Whether a process of this PID namespace, other than this one, has a file mapped. What a VPP leaves
 * in shared memory when it is killed looks like a living one's, and the library would wait 100 s for
 * an answer from it.
 */
export function isHeld(libc: Libc, path: string): boolean {
  for (const name of listKernelDirectory(libc, "/proc")) {
    if (!/^\d+$/.test(name) || name === String(Deno.pid)) continue;
    try {
      if (readKernelFile(libc, `/proc/${name}/maps`).includes(` ${path}\n`)) return true;
    } catch (error) {
      // It ended meanwhile, or is not ours to look at.
      if (!(error instanceof LibcError)) throw error;
    }
  }
  return false;
}
