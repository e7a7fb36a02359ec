/**
 * Whether a process of this PID namespace, other than this one, has a file mapped. What a VPP leaves
 * in shared memory when it is killed looks like a living one's, and the library would wait 100 s for
 * an answer from it.
 */
export function isHeld(path: string): boolean {
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name) || name === String(Deno.pid)) continue;
    try {
      if (Deno.readTextFileSync(`/proc/${name}/maps`).includes(` ${path}\n`)) return true;
    } catch {
      // It ended meanwhile, or is not ours to look at.
    }
  }
  return false;
}
