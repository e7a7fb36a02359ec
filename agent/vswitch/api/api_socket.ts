import { VppClient } from "@contiv/vppapi";

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
  const umask = Deno.umask(0o177);
  try {
    return Deno.listen({ transport: "unix", path });
  } finally {
    Deno.umask(umask);
  }
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

/** Who serves it, by its own answer to a control ping: "process 123". */
async function holderOf(path: string): Promise<string> {
  try {
    await using client = await VppClient.connect({
      path,
      name: "contiv-vswitch",
      timeoutMs: 1_000,
    });
    const { vpe_pid } = await client.request("control_ping", {}, { timeoutMs: 1_000 });
    return `process ${vpe_pid}`;
  } catch (error) {
    return `a process that does not answer (${error instanceof Error ? error.message : error})`;
  }
}
