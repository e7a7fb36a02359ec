import type { ApiAccess, ApiAccessSource } from "./api_access.ts";
import { ApiError, messageOf } from "./api_error.ts";
import { type ApiResponse, type ApiTransport, tlsIdentity } from "./api_transport.ts";
import { FetchTransport } from "./fetch_transport.ts";
import { Gatherer } from "./gatherer.ts";
import { HttpsTransport } from "./https_transport.ts";
import { parseJson } from "./messages.ts";
import { SilenceTimer } from "./silence_timer.ts";

export interface ApiClientOptions {
  readonly access: ApiAccessSource;
  /** Milliseconds of silence, before the answer's head and within its body. @default 30000 */
  readonly silenceMs?: number;
}

export interface ApiRequestOptions {
  readonly signal: AbortSignal;
  /** Milliseconds of silence within the body. @default the client's */
  readonly silenceMs?: number;
  /** The server has accepted the request. */
  readonly opened?: () => void;
}

/** Octets of an answer that is read as a whole. */
const MAX_JSON_BYTES = 1 << 20;
/** Octets of an error's answer that are read. */
const MAX_ERROR_BYTES = 64 << 10;

/** GET requests to the Kubernetes API, by the access as it is at each of them. */
export class ApiClient {
  readonly #access: ApiAccessSource;
  readonly #silenceMs: number;
  #transport: { readonly identity: string; readonly connections: ApiTransport } | undefined;
  /** Counts failures to reach a server: the next one is tried then. */
  #failures = 0;

  constructor({ access, silenceMs = 30_000 }: ApiClientOptions) {
    this.#access = access;
    this.#silenceMs = silenceMs;
  }

  /**
   * Gives the chunks of a successful answer's body.
   * @param path with its query
   * @throws {ApiError} also between chunks
   */
  async *stream(path: string, options: ApiRequestOptions): AsyncGenerator<Uint8Array, void, void> {
    const { signal, silenceMs = this.#silenceMs } = options;
    using silence = new SilenceTimer(this.#silenceMs, signal);
    try {
      const access = await silence.race(this.#readAccess());
      const server = access.servers[this.#failures % access.servers.length] ?? "";
      const response = await silence.race(this.#request(access, server, path, silence.signal));
      const { status, body } = response;
      if (status !== 200) throw await silence.race(readError(response, path));
      silence.reset();
      silence.limitMs = silenceMs;
      options.opened?.();
      // Not by `for await`: it would wait for a body's cancellation, which may never end. Whatever
      // ends this generator aborts the request.
      const chunks = body[Symbol.asyncIterator]();
      for (
        let next = await silence.race(chunks.next());
        !next.done;
        next = await silence.race(chunks.next())
      ) {
        silence.reset();
        yield next.value;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ApiError) throw error;
      if (silence.expired) {
        throw new ApiError(
          "STALLED",
          `Cannot read ${path}: silence for ${silence.limitMs} ms, an answer wanted`,
        );
      }
      const text = `Cannot read ${path}: ${messageOf(error)}, a whole answer wanted`;
      throw new ApiError("UNREACHABLE", text, { cause: error });
    }
  }

  /**
   * Reads a whole answer of small size as JSON.
   * @throws {ApiError}
   */
  async json(path: string, options: ApiRequestOptions): Promise<unknown> {
    const whole = new Gatherer(MAX_JSON_BYTES);
    for await (const chunk of this.stream(path, options)) {
      try {
        whole.add(chunk);
      } catch (cause) {
        const text = `Cannot read ${path}: ${messageOf(cause)}, less wanted`;
        throw new ApiError("GARBAGE", text, { cause });
      }
    }
    return parseJson(path, whole.take(new Uint8Array(0)));
  }

  close(): void {
    this.#transport?.connections.close();
    this.#transport = undefined;
  }

  async #readAccess(): Promise<ApiAccess> {
    try {
      return await this.#access.current();
    } catch (cause) {
      if (cause instanceof ApiError) throw cause;
      const text = `Cannot read the credentials: ${messageOf(cause)}, usable ones wanted`;
      throw new ApiError("REFUSED", text, { cause });
    }
  }

  async #request(
    access: ApiAccess,
    server: string,
    path: string,
    signal: AbortSignal,
  ): Promise<ApiResponse> {
    try {
      return await this.#connections(access).get(server + path, access.authorization, signal);
    } catch (cause) {
      this.#failures++;
      throw cause;
    }
  }

  #connections(access: ApiAccess): ApiTransport {
    const identity = tlsIdentity(access);
    if (this.#transport?.identity !== identity) {
      // Streams under way go on: closing only lets their connections end when they do.
      this.#transport?.connections.close();
      const special = access.serverName !== undefined || access.skipVerify;
      const connections = special ? new HttpsTransport(access) : new FetchTransport(access);
      this.#transport = { identity, connections };
    }
    return this.#transport.connections;
  }
}

/** Makes an error of an answer that is one; its body is a v1 Status. */
async function readError(response: ApiResponse, path: string): Promise<ApiError> {
  const { status } = response;
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_ERROR_BYTES) break;
  }
  const code = status === 410 ? "GONE" : status === 401 || status === 403 ? "REFUSED" : "STATUS";
  const seconds = Number(response.retryAfter);
  const message = `Cannot read ${path}: HTTP ${status} ${statusMessage(text)}, 200 wanted`;
  return new ApiError(code, message, seconds > 0 ? { retryAfterMs: seconds * 1_000 } : {});
}

function statusMessage(text: string): string {
  try {
    const status: unknown = JSON.parse(text);
    if (typeof status === "object" && status !== null && "message" in status) {
      return `(${String(status.message).slice(0, 300)})`;
    }
  } catch {
    // Not from the API server itself, but from something before it.
  }
  return `(${text.slice(0, 100)})`;
}
