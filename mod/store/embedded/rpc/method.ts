import type { Buffer } from "node:buffer";
import {
  type handleBidiStreamingCall,
  type handleUnaryCall,
  type MethodDefinition,
  type ServerDuplexStream,
  type ServiceError,
  status,
  type UntypedHandleCall,
} from "@grpc/grpc-js";
import { Refusal, StatusError } from "../status_error.ts";
import type { MessageType } from "../wire/message_type.ts";
import { type Connection, Outbound } from "./outbound.ts";

/** Octets of replies that may wait for one client before it is refused more. */
const MAX_WAITING_BYTES = 256 << 20;

/** A request with the octets it came in. */
export interface Received<T> {
  readonly message: T;
  readonly size: number;
}

/** One method of a service, as grpc-js takes it. */
export interface Method {
  readonly definition: MethodDefinition<Received<object>, Buffer>;
  readonly handler: UntypedHandleCall;
}

/**
 * A method with one request and one reply.
 * @param path as `/etcdserverpb.KV/Range`
 */
export function unary<Request extends object, Reply extends object>(
  path: string,
  request: MessageType<Request>,
  reply: MessageType<Reply>,
  handle: (request: Request, size: number) => Partial<Reply> | Promise<Partial<Reply>>,
): Method {
  const handler: handleUnaryCall<Received<Request>, Buffer> = async (call, answer) => {
    try {
      const outbound = outboundOf(call);
      if (outbound?.exceeds(MAX_WAITING_BYTES)) throw Refusal.tooManyRequests();
      const { message, size } = call.request;
      const encoded = reply.encode(await handle(message, size));
      outbound?.add(encoded.length);
      answer(null, encoded);
    } catch (error) {
      answer(toServiceError(error));
    }
  };
  return { definition: define(path, request, false), handler: handler as UntypedHandleCall };
}

/** A method with a stream of requests and a stream of encoded replies. */
export function streaming<Request extends object>(
  path: string,
  request: MessageType<Request>,
  handle: (call: ServerDuplexStream<Received<Request>, Buffer>) => void,
): Method {
  const handler: handleBidiStreamingCall<Received<Request>, Buffer> = (call) => handle(call);
  return { definition: define(path, request, true), handler: handler as UntypedHandleCall };
}

/** The HTTP/2 stream of a call. grpc-js hides it; this is where its version 1.14.7 has it. */
interface HiddenStream {
  readonly session?: { readonly socket?: Connection };
  close(code: number): void;
}

function streamOf(call: object): HiddenStream | undefined {
  return (call as { call?: { stream?: HiddenStream } }).call?.stream;
}

/** What waits to be sent by a call's connection. */
export function outboundOf(call: object): Outbound | undefined {
  const socket = streamOf(call)?.session?.socket;
  return socket === undefined ? undefined : Outbound.of(socket);
}

/** HTTP/2's error code for a stream that is not wanted any more (RFC 9113, section 7). */
const HTTP2_CANCEL = 8;

/** Ends a call at once, with all that waits to be sent for it. A status would wait behind that. */
export function abandon(call: object): void {
  streamOf(call)?.close(HTTP2_CANCEL);
}

/** An error as grpc-js sends it. */
export function toServiceError(error: unknown): Partial<ServiceError> {
  if (error instanceof StatusError) return { code: error.code, details: error.message };
  const reason = error instanceof Error ? error.message : String(error);
  return { code: status.INTERNAL, details: `etcdserver: ${reason}` };
}

function define<Request extends object>(
  path: string,
  request: MessageType<Request>,
  streams: boolean,
): Method["definition"] {
  const identity = (bytes: Buffer): Buffer => bytes;
  return {
    path,
    requestStream: streams,
    responseStream: streams,
    requestSerialize: () => {
      throw new TypeError("a server sends no requests");
    },
    requestDeserialize: (bytes) => ({ message: request.decode(bytes), size: bytes.length }),
    responseSerialize: identity,
    responseDeserialize: identity,
  };
}
