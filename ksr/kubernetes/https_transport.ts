import { Agent, type RequestOptions } from "node:https";
import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { ApiAccess } from "./api_access.ts";
import { type ApiResponse, type ApiTransport, requestHeaders } from "./api_transport.ts";

/** Connections by `node:https`, for what `fetch` cannot do: another server name, no verification. */
export class HttpsTransport implements ApiTransport {
  readonly #agent: Agent;
  readonly #tls: RequestOptions;

  constructor({ ca, cert, key, serverName, skipVerify }: ApiAccess) {
    this.#tls = {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
      ...(serverName === undefined ? {} : { servername: serverName }),
      rejectUnauthorized: !skipVerify,
    };
    this.#agent = new Agent({ keepAlive: true, maxCachedSessions: 0 });
  }

  get(
    url: string,
    authorization: string | undefined,
    signal: AbortSignal,
  ): Promise<ApiResponse> {
    const { promise, resolve, reject } = Promise.withResolvers<ApiResponse>();
    const headers = requestHeaders(authorization);
    const onResponse = (message: IncomingMessage): void => {
      const retryAfter = message.headers["retry-after"];
      resolve({ status: message.statusCode ?? 0, retryAfter, body: bodyOf(message, signal) });
    };
    const request: ClientRequest = url.startsWith("https:")
      ? httpsRequest(url, { ...this.#tls, agent: this.#agent, headers }, onResponse)
      : httpRequest(url, { headers }, onResponse);
    const onAbort = (): void => {
      request.destroy();
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    request.on("error", reject);
    request.on("close", () => signal.removeEventListener("abort", onAbort));
    if (signal.aborted) onAbort();
    else request.end();
    return promise;
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** A message's chunks; ends by a throw if the connection was lost or the signal is aborted. */
async function* bodyOf(
  message: IncomingMessage,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const onAbort = (): void => void message.destroy(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    for await (const chunk of message) {
      signal.throwIfAborted();
      yield chunk as Uint8Array;
    }
    signal.throwIfAborted();
    if (!message.complete) throw new Error("the connection was cut");
  } finally {
    signal.removeEventListener("abort", onAbort);
    message.destroy();
  }
}
