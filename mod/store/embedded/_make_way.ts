/** The socket's path cannot be listened on. */
export class SocketPathError extends Error {
  override readonly name = "SocketPathError";
  /** Whether another process serves it. */
  readonly held: boolean;

  constructor(message: string, held: boolean, options?: ErrorOptions) {
    super(message, options);
    this.held = held;
  }
}

/**
 * Makes a path ready for a Unix socket: the folder is made, a socket that nobody serves any more is
 * removed.
 * @throws {SocketPathError}
 */
export async function makeWay(path: string): Promise<void> {
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")) || "/", { recursive: true, mode: 0o755 });
  const found = await Deno.lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket) {
    const message = `Cannot listen on ${path}: it is there and is no socket, a free path wanted`;
    throw new SocketPathError(message, false);
  }
  try {
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return await Deno.remove(path);
    const reason = error instanceof Error ? error.message : String(error);
    const message = `Cannot listen on ${path}: ${reason}, a socket that nobody serves wanted`;
    throw new SocketPathError(message, false, { cause: error });
  }
  const message = `Cannot listen on ${path}: another process serves it, nobody wanted`;
  throw new SocketPathError(message, true);
}
