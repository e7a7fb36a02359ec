/**
 * Watches a process of this PID namespace: calls back once when it has gone or its number belongs
 * to another. A number that means nothing here is not watched.
 *
 * @param intervalMs milliseconds between looks
 * @returns what ends the watch
 */
export function watchProcess(pid: number, intervalMs: number, onGone: () => void): () => void {
  const started = startTime(pid);
  if (started === undefined) return () => {};
  const timer = setInterval(() => {
    if (startTime(pid) === started) return;
    clearInterval(timer);
    onGone();
  }, intervalMs);
  return () => clearInterval(timer);
}

/** When a living process was started, in ticks since boot: field 22 of proc_pid_stat(5). */
function startTime(pid: number): string | undefined {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // The name may hold spaces and parentheses: count from its end.
    const [state, ...rest] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return state === "Z" || state === "X" ? undefined : rest[18];
  } catch {
    return undefined;
  }
}
