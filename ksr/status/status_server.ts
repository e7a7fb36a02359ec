import process from "node:process";

/** Only the owner may connect. */
const OWNER_ONLY = 0o177;

/** Serves HTTP on a Unix socket (mode 0600). */
export class StatusServer {
  readonly #path: string;
  readonly #server: Deno.HttpServer<Deno.UnixAddr>;

  private constructor(path: string, server: Deno.HttpServer<Deno.UnixAddr>) {
    this.#path = path;
    this.#server = server;
  }

  /**
   * Listens; a socket that nobody serves any more is replaced.
   * @throws {Error} if somebody serves it, or something else is at the path
   */
  static async listen(
    path: string,
    handle: (request: Request) => Response,
  ): Promise<StatusServer> {
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")) || "/", { recursive: true });
    await makeWay(path);
    const before = process.umask(OWNER_ONLY);
    try {
      return new StatusServer(path, Deno.serve({ path, onListen: () => {} }, handle));
    } finally {
      process.umask(before);
    }
  }

  /** Ends open connections after some milliseconds. */
  async close(limitMs: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, limitMs));
    await Promise.race([this.#server.shutdown(), late]);
    clearTimeout(timer);
    try {
      Deno.removeSync(this.#path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

async function makeWay(path: string): Promise<void> {
  let found: Deno.FileInfo;
  try {
    found = Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  if (!found.isSocket) throw new Error(`Cannot listen on ${path}: it is no socket, none wanted`);
  try {
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    Deno.removeSync(path);
    return;
  }
  throw new Error(`Cannot listen on ${path}: another process serves it, none wanted`);
}
