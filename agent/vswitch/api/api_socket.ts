/** The socket's path cannot be listened on. */
export class ApiSocketError extends Error {
  override readonly name = "ApiSocketError";
  /** Whether another process serves it: then the role is taken. */
  readonly held: boolean;

  constructor(message: string, held: boolean, options?: ErrorOptions) {
    super(message, options);
    this.held = held;
  }
}

/**
 * Listens on the API socket's path, readable and writable for its owner alone. The folder is made
 * if it is missing; a socket that nobody serves any more is replaced.
 * @throws {ApiSocketError} if a process serves it already, or the path cannot be used
 */
export async function listenApiSocket(path: string): Promise<Deno.UnixListener> {
  const folder = path.slice(0, Math.max(1, path.lastIndexOf("/")));
  if (path.includes("/")) await Deno.mkdir(folder, { recursive: true, mode: 0o755 });
  const present = await Deno.lstat(path).catch(() => undefined);
  if (present !== undefined) {
    if (!present.isSocket) {
      throw new ApiSocketError(
        `Cannot listen on ${path}: it is there and is not a socket, a free path wanted`,
        false,
      );
    }
    if (await answers(path)) {
      throw new ApiSocketError(
        `Cannot listen on ${path}: ${await holderOf(path)} serves it, one switch per socket wanted`,
        true,
      );
    }
    await Deno.remove(path);
  }
  const listener = Deno.listen({ transport: "unix", path });
  await Deno.chmod(path, 0o600);
  return listener;
}

async function answers(path: string): Promise<boolean> {
  try {
    const connection = await Deno.connect({ transport: "unix", path });
    connection.close();
    return true;
  } catch (error) {
    // A full backlog and a socket that is not ours are both someone's.
    return !(error instanceof Deno.errors.ConnectionRefused);
  }
}

/** Who listens there, as far as /proc tells: "process 123 (vpp)". */
async function holderOf(path: string): Promise<string> {
  try {
    const inode = await inodeOf(path);
    if (inode === undefined) return "another process";
    for await (const { name } of Deno.readDir("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      if (await holds(name, `socket:[${inode}]`)) {
        const command = (await Deno.readTextFile(`/proc/${name}/comm`)).trim();
        return `process ${name} (${command})`;
      }
    }
  } catch {
    // The name is a help, not the point.
  }
  return "another process";
}

/** The socket's own inode, from the kernel's list of listening Unix sockets. */
async function inodeOf(path: string): Promise<string | undefined> {
  for (const line of (await Deno.readTextFile("/proc/net/unix")).split("\n")) {
    const [, , , flags, , , inode, name] = line.trim().split(/\s+/);
    if (name === path && flags === "00010000") return inode;
  }
  return undefined;
}

async function holds(pid: string, target: string): Promise<boolean> {
  try {
    for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
      if (await Deno.readLink(`/proc/${pid}/fd/${name}`).catch(() => "") === target) return true;
    }
  } catch {
    // It ended meanwhile, or is not ours to look into.
  }
  return false;
}
