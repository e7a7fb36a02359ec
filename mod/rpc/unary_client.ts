import { CallLimit } from "./_call_limit.ts";
import { UnaryExchange } from "./_unary_exchange.ts";
import { RpcCode, RpcError } from "./rpc_error.ts";

/** A call of one message each way on a connection of its own. */
export interface UnaryCall {
  /** Unix socket of the server. */
  readonly socket: string;
  /** The method, as `/package.Service/Method`. */
  readonly path: string;
  /** The encoded request. */
  readonly message: Uint8Array;
  /** Limit of the whole call, in milliseconds. */
  readonly timeoutMs: number;
  /**
   * Limit until the server is heard, in milliseconds. While nothing listens on the socket,
   * connecting is tried again within it.
   * @default timeoutMs
   */
  readonly connectTimeoutMs?: number;
  /**
   * The longest reply that is taken, in octets.
   * @default 4 MiB, as grpc-js
   */
  readonly maxReplyBytes?: number;
  /** Gives up the call. */
  readonly signal?: AbortSignal;
}

const DEFAULT_MAX_REPLY = 4 << 20;
const CONNECT_INTERVAL_MS = 50;

/** Octets that may wait for a server that sends but does not read. */
const MAX_UNWRITTEN = 1 << 20;

/**
 * Calls a gRPC server over HTTP/2 without TLS on a Unix socket, and gives the encoded reply.
 * Loads nothing but a few small files: grpc-js takes longer to load than the call may take.
 * @throws {RpcError}
 */
export async function callUnary(call: UnaryCall): Promise<Uint8Array> {
  const connectTimeoutMs = Math.min(call.connectTimeoutMs ?? call.timeoutMs, call.timeoutMs);
  using limit = new CallLimit(call.signal);
  limit.arm(call.timeoutMs, () =>
    new RpcError(
      RpcCode.DEADLINE_EXCEEDED,
      `Cannot finish the call: no reply within ${call.timeoutMs} ms, wanted one`,
    ));
  const onGreeted = limit.arm(connectTimeoutMs, () =>
    new RpcError(
      RpcCode.UNAVAILABLE,
      `Cannot reach ${call.socket}: nothing heard within ${connectTimeoutMs} ms, wanted a server`,
    ));
  const conn = await connect(call.socket, limit);
  if (limit.reached) {
    conn.close();
    throw limit.reached;
  }
  limit.onReached = () => conn.close();
  try {
    return await talk(conn, call, onGreeted);
  } catch (error) {
    if (limit.reached) throw limit.reached;
    if (error instanceof RpcError) throw error;
    throw new RpcError(
      RpcCode.UNAVAILABLE,
      `Cannot finish the call: ${describe(error)}, wanted a reply`,
      { cause: error },
    );
  } finally {
    limit.onReached = undefined;
    if (!limit.reached) conn.close();
  }
}

/** Connects, trying again while nothing listens, until the limit is reached. */
async function connect(socket: string, limit: CallLimit): Promise<Deno.UnixConn> {
  while (true) {
    try {
      return await Deno.connect({ transport: "unix", path: socket });
    } catch (error) {
      const message = `Cannot connect to ${socket}: ${describe(error)}, wanted a server there`;
      if (
        !(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.ConnectionRefused ||
          error instanceof Deno.errors.WouldBlock)
      ) {
        const code = error instanceof Deno.errors.PermissionDenied
          ? RpcCode.PERMISSION_DENIED
          : RpcCode.FAILED_PRECONDITION;
        throw new RpcError(code, message, { cause: error });
      }
      const reached = await limit.sleep(CONNECT_INTERVAL_MS);
      if (reached) throw new RpcError(reached.code, message, { cause: error });
    }
  }
}

async function talk(
  conn: Deno.UnixConn,
  call: UnaryCall,
  onGreeted: () => void,
): Promise<Uint8Array> {
  const { path, message, timeoutMs, maxReplyBytes = DEFAULT_MAX_REPLY } = call;
  const exchange = new UnaryExchange({ path, message, timeoutMs, maxReplyBytes });
  const buffer = new Uint8Array(64 << 10);
  // Reading goes on while a write waits: two large messages would block each other otherwise.
  let writing = Promise.resolve();
  let unwritten = 0;
  let writeError: unknown;
  const flush = (): void => {
    const output = exchange.takeOutput();
    if (output.length === 0) return;
    unwritten += output.length;
    if (unwritten > message.length + MAX_UNWRITTEN) {
      throw new RpcError(
        RpcCode.INTERNAL,
        `Cannot finish the call: the server left ${unwritten} octets unread, wanted it to read`,
      );
    }
    writing = writing.then(() => writeAll(conn, output)).then(
      () => void (unwritten -= output.length),
      // Reading goes on: the server may have answered before it closed.
      (error) => void (writeError ??= error),
    );
  };
  flush();
  while (true) {
    const count = await conn.read(buffer);
    if (count === null) throw writeError ?? exchange.end();
    exchange.receive(buffer.subarray(0, count));
    if (exchange.greeted) onGreeted();
    if (exchange.reply) return exchange.reply;
    flush();
  }
}

async function writeAll(conn: Deno.UnixConn, bytes: Uint8Array): Promise<void> {
  let rest = bytes;
  while (rest.length > 0) rest = rest.subarray(await conn.write(rest));
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
