import { RpcCode, RpcError } from "./rpc_error.ts";

/** gRPC statuses for RST_STREAM codes ("gRPC over HTTP2", Errors); the others are INTERNAL. */
const RESET_CODES: ReadonlyMap<number, number> = new Map([
  [7, RpcCode.UNAVAILABLE],
  [8, RpcCode.CANCELLED],
  [11, RpcCode.RESOURCE_EXHAUSTED],
  [12, RpcCode.PERMISSION_DENIED],
]);

/** gRPC statuses for replies without grpc-status, by HTTP status; the others are UNKNOWN. */
const HTTP_CODES: ReadonlyMap<string, number> = new Map([
  ["400", RpcCode.INTERNAL],
  ["401", RpcCode.UNAUTHENTICATED],
  ["403", RpcCode.PERMISSION_DENIED],
  ["404", RpcCode.UNIMPLEMENTED],
  ["429", RpcCode.UNAVAILABLE],
  ["502", RpcCode.UNAVAILABLE],
  ["503", RpcCode.UNAVAILABLE],
  ["504", RpcCode.UNAVAILABLE],
]);

/** The error in trailers whose grpc-status is not that of a success. */
export function statusError(headers: ReadonlyMap<string, string>): RpcError {
  const status = headers.get("grpc-status");
  if (status === undefined) return broken("no grpc-status", "one at the reply's end");
  const code = /^[0-9]{1,3}$/.test(status) ? Number(status) : 0;
  if (code === 0 && status !== "0") {
    return new RpcError(
      RpcCode.UNKNOWN,
      `The server answers with status ${JSON.stringify(status)}`,
    );
  }
  if (code === 0) return broken("success without a reply", "a message");
  const message = decodeMessage(headers.get("grpc-message") ?? "");
  return new RpcError(code, message || `The server answers with status ${code} and no message`);
}

/** A server that breaks HTTP/2 or gRPC. */
export function broken(found: string, wanted: string, cause?: unknown): RpcError {
  return new RpcError(
    RpcCode.INTERNAL,
    `Cannot understand the server: it sent ${found}, wanted ${wanted}`,
    cause === undefined ? undefined : { cause },
  );
}

/** A server that reset the stream with an HTTP/2 error code (RFC 9113, 7). */
export function resetError(code: number): RpcError {
  return new RpcError(
    RESET_CODES.get(code) ?? RpcCode.INTERNAL,
    `Cannot finish the call: the server reset it with HTTP/2 error ${code}, wanted a reply`,
  );
}

/** A server that speaks HTTP, but not gRPC. */
export function httpError(headers: ReadonlyMap<string, string>): RpcError {
  const status = headers.get(":status") ?? "";
  const type = headers.get("content-type") ?? "";
  return new RpcError(
    HTTP_CODES.get(status) ?? RpcCode.UNKNOWN,
    `Cannot finish the call: the server answers with HTTP status ${JSON.stringify(status)} and ` +
      `type ${JSON.stringify(type)}, wanted "200" and "application/grpc"`,
  );
}

/** Reads grpc-message: percent-encoded UTF-8, and what is not stays as it is. */
function decodeMessage(text: string): string {
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const hex = text.slice(i + 1, i + 3);
    if (text[i] === "%" && /^[0-9a-fA-F]{2}$/.test(hex)) {
      bytes.push(parseInt(hex, 16));
      i += 2;
    } else {
      bytes.push(text.charCodeAt(i));
    }
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}
