import { Buffer } from "node:buffer";
import { surviveGoneClients } from "@contiv/rpc/gone_clients.ts";
import { Server, ServerCredentials, type ServerOptions } from "@grpc/grpc-js";
import { makeWay } from "./_make_way.ts";
import type { Engine } from "./engine.ts";
import { MAX_REQUEST_BYTES } from "./engine.ts";
import { formatListenAddress, type ListenAddress } from "./listen_address.ts";
import { kvService } from "./rpc/kv_service.ts";
import { leaseService } from "./rpc/lease_service.ts";
import { memberService } from "./rpc/member_service.ts";
import type { Method } from "./rpc/method.ts";
import { watchService } from "./rpc/watch_service.ts";

export interface ServerTls {
  /** PEM. */
  readonly cert: Uint8Array;
  readonly key: Uint8Array;
  /** PEM of who signs the clients' certificates; without it, any client is served. */
  readonly clientCa?: Uint8Array;
}

export interface StoreServerOptions {
  readonly engine: Engine;
  readonly listen: readonly ListenAddress[];
  /** For addresses with TLS. */
  readonly tls?: ServerTls;
  /** Mode of Unix sockets. @default 0o600 */
  readonly socketMode?: number;
  /** The member's name. @default "contiv" */
  readonly name?: string;
  /**
   * Milliseconds that a client may leave what its watches were sent unread, once that is much.
   * @default 60,000
   */
  readonly stallMs?: number;
}

const STALL_MS = 60_000;

/** Octets of a request beyond which it is not even read, as in etcd. */
const GRPC_OVERHEAD_BYTES = 512 << 10;

const OPTIONS: ServerOptions = {
  "grpc.max_receive_message_length": MAX_REQUEST_BYTES + GRPC_OVERHEAD_BYTES,
  "grpc.max_send_message_length": -1,
  // A client that vanished without a word must not hold its watches for ever.
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 20_000,
  "grpc-node.flow_control_window": 1 << 20,
};

/** Milliseconds that calls under way have to end by themselves. */
const GRACE_MS = 1_000;

/** Serves etcd's v3 API. What is not served answers UNIMPLEMENTED with its name, by grpc-js. */
export class StoreServer implements AsyncDisposable {
  /** Where it listens, with the ports that were chosen. */
  readonly addresses: readonly ListenAddress[];
  readonly #server: Server;
  readonly #guard = surviveGoneClients();
  readonly #stopping: AbortController;
  #closed: Promise<void> | undefined;

  private constructor(server: Server, stopping: AbortController, addresses: ListenAddress[]) {
    this.#server = server;
    this.#stopping = stopping;
    this.addresses = addresses;
  }

  /**
   * Listens on all addresses, or on none.
   * @throws {SocketPathError}
   * @throws {Error} if an address cannot be listened on
   */
  static async listen(options: StoreServerOptions): Promise<StoreServer> {
    const { engine, listen, name = "contiv", stallMs = STALL_MS } = options;
    const server = new Server(OPTIONS);
    const stopping = new AbortController();
    const addresses: ListenAddress[] = [];
    const clientUrls = (): string[] => addresses.map(formatListenAddress);
    addMethods(server, [
      ...kvService(engine),
      ...leaseService(engine),
      ...watchService(engine, { stopping: stopping.signal, stallMs }),
      ...memberService(engine, () => ({ name, clientUrls: clientUrls() })),
    ]);
    try {
      for (const address of listen) addresses.push(await bind(server, address, options));
    } catch (error) {
      server.forceShutdown();
      removeSockets(addresses);
      throw error;
    }
    return new StoreServer(server, stopping, addresses);
  }

  /** Lets calls under way end, for a moment; ends streams. Idempotent. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#stopping.abort();
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, GRACE_MS);
    this.#server.tryShutdown(() => resolve());
    await promise;
    clearTimeout(timer);
    this.#server.forceShutdown();
    this.#guard[Symbol.dispose]();
    removeSockets(this.addresses);
  }
}

function addMethods(server: Server, methods: readonly Method[]): void {
  server.addService(
    Object.fromEntries(methods.map(({ definition }) => [definition.path, definition])),
    Object.fromEntries(methods.map(({ definition, handler }) => [definition.path, handler])),
  );
}

async function bind(
  server: Server,
  address: ListenAddress,
  { tls, socketMode = 0o600 }: StoreServerOptions,
): Promise<ListenAddress> {
  if (address.type === "unix") {
    await makeWay(address.path);
    const before = Deno.umask(0o777 & ~socketMode);
    try {
      await listenOn(server, `unix:${address.path}`, ServerCredentials.createInsecure());
    } finally {
      Deno.umask(before);
    }
    return address;
  }
  const credentials = address.tls ? secure(tls) : ServerCredentials.createInsecure();
  const port = await listenOn(server, `${address.host}:${address.port}`, credentials);
  return { ...address, port };
}

function listenOn(server: Server, to: string, credentials: ServerCredentials): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync(to, credentials, (error, port) => {
    if (error === null) resolve(port);
    else reject(new Error(`Cannot listen on ${to}: ${error.message}`, { cause: error }));
  });
  return promise;
}

function secure(tls: ServerTls | undefined): ServerCredentials {
  if (tls === undefined) throw new TypeError("an address with TLS needs a certificate");
  const { cert, key, clientCa } = tls;
  return ServerCredentials.createSsl(
    clientCa === undefined ? null : Buffer.from(clientCa),
    [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }],
    clientCa !== undefined,
  );
}

function removeSockets(addresses: readonly ListenAddress[]): void {
  for (const address of addresses) {
    if (address.type !== "unix") continue;
    try {
      Deno.removeSync(address.path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
