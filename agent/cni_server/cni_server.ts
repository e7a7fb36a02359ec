import type { Libc } from "@contiv/libc";
import {
  CNI_INVOKE_PATH,
  type CniReply,
  type CniRequest,
  decodeCniRequest,
  encodeCniReply,
  RpcCode,
  RpcDecodeError,
  RpcError,
  UnaryServer,
} from "@contiv/rpc";
import { ownerOnly, prepareSocket, removeSocket } from "../unix_socket.ts";

export interface CniServerOptions {
  /** Path of the Unix socket. */
  readonly path: string;
  readonly libc: Libc;
  /** Carries out one request; must not throw. */
  readonly handle: (request: CniRequest) => Promise<CniReply>;
  /** Calls under way at most; further ones are refused. @default 512 */
  readonly maxCalls?: number;
  /** Milliseconds for one call. @default 60_000 */
  readonly callLimitMs?: number;
}

/** The plugin takes configurations of 1 MiB, beside CNI_ARGS and CNI_PATH. */
const MAX_MESSAGE = 2 << 20;

/** Serves contiv.cni.v1.Cni on a Unix socket that only root can open (mode 0600). */
export class CniServer {
  readonly #options: CniServerOptions;
  readonly #server: UnaryServer;

  private constructor(options: CniServerOptions, listener: Deno.UnixListener) {
    this.#options = options;
    this.#server = UnaryServer.serve({
      listener,
      path: CNI_INVOKE_PATH,
      handle: (message) => this.#answer(message),
      maxRequestBytes: MAX_MESSAGE,
      maxCalls: options.maxCalls ?? 512,
    });
  }

  /** Listens; a socket left by a process before us is replaced. */
  static async listen(options: CniServerOptions): Promise<CniServer> {
    const { libc, path } = options;
    prepareSocket(path);
    const listener = await ownerOnly(libc, () => Deno.listen({ transport: "unix", path }));
    return new CniServer(options, listener);
  }

  /** Takes no new calls, waits some milliseconds for those under way, then ends them. */
  async close(limitMs: number): Promise<void> {
    await this.#server.close(limitMs);
    removeSocket(this.#options.path);
  }

  async #answer(message: Uint8Array): Promise<Uint8Array> {
    const request = decodeRequest(message);
    const limitMs = this.#options.callLimitMs ?? 60_000;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const text = `Cannot answer ${request.command}: no end within ${limitMs} ms`;
        reject(new RpcError(RpcCode.DEADLINE_EXCEEDED, text));
      }, limitMs);
    });
    try {
      return encodeCniReply(await Promise.race([this.#options.handle(request), late]));
    } finally {
      clearTimeout(timer);
    }
  }
}

/** @throws {RpcError} INVALID_ARGUMENT */
function decodeRequest(message: Uint8Array): CniRequest {
  try {
    return decodeCniRequest(message);
  } catch (error) {
    if (!(error instanceof RpcDecodeError)) throw error;
    throw new RpcError(RpcCode.INVALID_ARGUMENT, error.message, { cause: error });
  }
}
