import type { Libc } from "@contiv/libc";

/** Only the owner may connect. */
const OWNER_ONLY = 0o177;

/**
 * Makes way for a Unix socket: its folder is made, and a socket that a process before us left is
 * removed. The caller holds the agent's lock, so nobody serves it.
 * @throws {Error} if something else than a socket is at the path
 */
export function prepareSocket(path: string): void {
  Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")) || "/", { recursive: true });
  let found: Deno.FileInfo;
  try {
    found = Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  if (!found.isSocket) throw new Error(`Cannot listen on ${path}: it is no socket, none wanted`);
  Deno.removeSync(path);
}

/** Runs what makes a socket so that only its owner can connect (mode 0600). */
export async function ownerOnly<T>(libc: Libc, listen: () => T | Promise<T>): Promise<T> {
  const before = libc.umask(OWNER_ONLY);
  try {
    return await listen();
  } finally {
    libc.umask(before);
  }
}

/** Removes a socket that we served. */
export function removeSocket(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
