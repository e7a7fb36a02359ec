/** How long another command is waited for. */
const LIMIT_MS = 60_000;

/**
 * Does work while this process alone holds a file's lock (flock(2)), which ends with the process.
 * @throws {Error} if another one holds it for a minute
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  using file = await Deno.open(path, { create: true, write: true, mode: 0o600 });
  const deadline = Date.now() + LIMIT_MS;
  while (!file.tryLockSync(true)) {
    if (Date.now() >= deadline) {
      throw new Error(`Cannot lock ${path}: another command has held it for ${LIMIT_MS / 1000} s`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return await work();
}
