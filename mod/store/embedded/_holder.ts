/**
 * Who has a file locked, for people: from the kernel's list of POSIX locks (proc(5), /proc/locks),
 * whose last fields before the range are PID and `MAJOR:MINOR:INODE`.
 */
export function findHolder(path: string): string {
  try {
    const { ino } = Deno.statSync(path);
    for (const line of Deno.readTextFileSync("/proc/locks").split("\n")) {
      const [, pid, inode] = /(\d+) [\da-f]+:[\da-f]+:(\d+) \d+ \S+$/.exec(line) ?? [];
      if (pid === undefined || Number(inode) !== ino) continue;
      return Number(pid) === Deno.pid ? "this process itself" : `process ${pid}${nameOf(pid)}`;
    }
  } catch {
    // No Linux, or no right to look: Deno opens /proc to --allow-all only.
  }
  return "another process";
}

/** The command line of a process, if it may be seen. */
function nameOf(pid: string): string {
  try {
    const words = Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0").join(" ").trim();
    return words === "" ? "" : ` (${words.slice(0, 200)})`;
  } catch {
    return "";
  }
}
