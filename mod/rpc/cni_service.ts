import { Buffer } from "node:buffer";
import type {
  handleUnaryCall,
  MethodDefinition,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import {
  type CniReply,
  type CniRequest,
  decodeCniReply,
  decodeCniRequest,
  encodeCniReply,
  encodeCniRequest,
} from "./cni_codec.ts";
import { CNI_INVOKE_PATH } from "./cni_path.ts";

/** What a grpc-js server must implement to serve {@link cniService}. */
export interface CniServiceImplementation extends UntypedServiceImplementation {
  invoke: handleUnaryCall<CniRequest, CniReply>;
}

function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Service contiv.cni.v1.Cni for grpc-js's `Server.addService` and `makeClientConstructor`. Only
 * types of grpc-js are used: loading this file does not load grpc-js.
 */
export const cniService = {
  invoke: {
    path: CNI_INVOKE_PATH,
    originalName: "Invoke",
    requestStream: false,
    responseStream: false,
    requestSerialize: (request) => buffer(encodeCniRequest(request)),
    requestDeserialize: decodeCniRequest,
    responseSerialize: (reply) => buffer(encodeCniReply(reply)),
    responseDeserialize: decodeCniReply,
  } satisfies MethodDefinition<CniRequest, CniReply>,
};
