import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import type { Libc } from "@contiv/libc";
import {
  type CniReply,
  type CniRequest,
  cniService,
  type CniServiceImplementation,
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
  readonly #server: Server;
  #calls = 0;

  private constructor(options: CniServerOptions) {
    this.#options = options;
    const maxCalls = options.maxCalls ?? 512;
    this.#server = new Server({
      "grpc.max_receive_message_length": MAX_MESSAGE,
      "grpc.max_concurrent_streams": maxCalls,
    });
    const service: CniServiceImplementation = {
      invoke: (call, callback) => {
        if (this.#calls >= maxCalls) {
          const details = `${this.#calls} calls are under way, fewer than ${maxCalls} wanted`;
          callback({ code: status.RESOURCE_EXHAUSTED, details });
          return;
        }
        void this.#answer(call.request).then(
          (reply) => callback(null, reply),
          (error) => callback({ code: status.DEADLINE_EXCEEDED, details: String(error.message) }),
        );
      },
    };
    this.#server.addService(cniService, service);
  }

  /** Listens; a socket left by a process before us is replaced. */
  static async listen(options: CniServerOptions): Promise<CniServer> {
    const server = new CniServer(options);
    prepareSocket(options.path);
    await ownerOnly(options.libc, () => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const credentials = ServerCredentials.createInsecure();
      server.#server.bindAsync(`unix:${options.path}`, credentials, (error) => {
        if (error === null) resolve();
        else reject(error);
      });
      return promise;
    });
    return server;
  }

  /** Takes no new calls, waits some milliseconds for those under way, then ends them. */
  async close(limitMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      this.#server.forceShutdown();
      resolve();
    }, limitMs);
    this.#server.tryShutdown(() => resolve());
    await promise;
    clearTimeout(timer);
    removeSocket(this.#options.path);
  }

  async #answer(request: CniRequest): Promise<CniReply> {
    const limitMs = this.#options.callLimitMs ?? 60_000;
    this.#calls++;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`Cannot answer ${request.command}: no end within ${limitMs} ms`));
      }, limitMs);
    });
    try {
      return await Promise.race([this.#options.handle(request), late]);
    } finally {
      clearTimeout(timer);
      this.#calls--;
    }
  }
}
