import type { ApiAccess } from "./api_access.ts";
import { type ApiResponse, type ApiTransport, requestHeaders } from "./api_transport.ts";

/** Connections by `fetch`, one for each stream: a flood on one cannot hold up another's. */
export class FetchTransport implements ApiTransport {
  readonly #client: Deno.HttpClient;

  constructor({ ca, cert, key }: ApiAccess) {
    this.#client = Deno.createHttpClient({
      http1: true,
      http2: false,
      ...(ca === undefined ? {} : { caCerts: [ca] }),
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
    });
  }

  async get(
    url: string,
    authorization: string | undefined,
    signal: AbortSignal,
  ): Promise<ApiResponse> {
    const response = await fetch(url, {
      client: this.#client,
      headers: requestHeaders(authorization),
      redirect: "error",
      signal,
    });
    return {
      status: response.status,
      retryAfter: response.headers.get("retry-after") ?? undefined,
      body: response.body ?? new ReadableStream<Uint8Array>({ start: (each) => each.close() }),
    };
  }

  close(): void {
    this.#client.close();
  }
}
