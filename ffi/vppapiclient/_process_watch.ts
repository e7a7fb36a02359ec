import { type Libc, processStart } from "@contiv/libc";

/**
 * Watches a process of this PID namespace: calls back once when it has gone or its number belongs
 * to another. A number that means nothing here is not watched.
 *
 * @param intervalMs milliseconds between looks
 * @returns what ends the watch
 */
export function watchProcess(
  libc: Libc,
  pid: number,
  intervalMs: number,
  onGone: () => void,
): () => void {
  const started = processStart(libc, pid);
  if (started === undefined) return () => {};
  const timer = setInterval(() => {
    if (processStart(libc, pid) === started) return;
    clearInterval(timer);
    onGone();
  }, intervalMs);
  return () => clearInterval(timer);
}
