import type { Libc } from "@contiv/libc";
import { ownerOnly, prepareSocket, removeSocket } from "../unix_socket.ts";

export interface StatusServerOptions {
  /** Path of the Unix socket. */
  readonly path: string;
  readonly libc: Libc;
  readonly handle: (request: Request) => Response | Promise<Response>;
}

/** Serves the status interface over HTTP on a Unix socket (mode 0600). */
export class StatusServer {
  readonly #path: string;
  readonly #server: Deno.HttpServer<Deno.UnixAddr>;

  private constructor(path: string, server: Deno.HttpServer<Deno.UnixAddr>) {
    this.#path = path;
    this.#server = server;
  }

  /** Listens; a socket left by a process before us is replaced. */
  static async listen({ path, libc, handle }: StatusServerOptions): Promise<StatusServer> {
    prepareSocket(path);
    const server = await ownerOnly(libc, () => Deno.serve({ path, onListen: () => {} }, handle));
    return new StatusServer(path, server);
  }

  /** Ends open connections after some milliseconds. */
  async close(limitMs: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, limitMs));
    await Promise.race([this.#server.shutdown(), late]);
    clearTimeout(timer);
    removeSocket(this.#path);
  }
}
