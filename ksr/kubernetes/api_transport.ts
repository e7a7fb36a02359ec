import type { ApiAccess } from "./api_access.ts";

/** An answer whose head has arrived. */
export interface ApiResponse {
  readonly status: number;
  /** The header `retry-after`. */
  readonly retryAfter: string | undefined;
  /** Ends early, by a throw, when the request's signal is aborted. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Connections to API servers by one set of TLS material. */
export interface ApiTransport {
  /** Rejects with whatever the runtime says. */
  get(url: string, authorization: string | undefined, signal: AbortSignal): Promise<ApiResponse>;
  close(): void;
}

/** The part of the access that a connection depends on. */
export function tlsIdentity({ ca, cert, key, serverName, skipVerify }: ApiAccess): string {
  return JSON.stringify([ca, cert, key, serverName, skipVerify]);
}

export function requestHeaders(authorization: string | undefined): Record<string, string> {
  return {
    accept: "application/json",
    "user-agent": "contiv-ksr",
    ...(authorization === undefined ? {} : { authorization }),
  };
}
