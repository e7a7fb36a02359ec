import { ProtoReader, ProtoWriter, WireType } from "./_proto_wire.ts";

/** A command for the agent: message CniRequest of cni.proto, which describes each field. */
export interface CniRequest {
  readonly command: string;
  readonly containerId: string;
  readonly netns: string;
  readonly ifname: string;
  readonly args: string;
  readonly path: string;
  readonly config: Uint8Array;
  readonly cniVersion: string;
}

/** The agent's answer: message CniReply of cni.proto, which describes each field. */
export interface CniReply {
  /** 0, or an error code of the CNI specification: 0 to 2^32 - 1. */
  readonly code: number;
  readonly message: string;
  readonly details: string;
  /** JSON of an ADD result, else empty. */
  readonly result: Uint8Array;
}

const EMPTY = new Uint8Array(0);
const LEN = WireType.LEN;
const VARINT = WireType.VARINT;

/** The wire form of a request. */
export function encodeCniRequest(request: CniRequest): Uint8Array {
  return new ProtoWriter()
    .string(1, request.command)
    .string(2, request.containerId)
    .string(3, request.netns)
    .string(4, request.ifname)
    .string(5, request.args)
    .string(6, request.path)
    .bytes(7, request.config)
    .string(8, request.cniVersion)
    .finish();
}

/**
 * Reads a request. Unknown fields are passed over; of a repeated field the last counts; what is
 * missing is empty. `config` is a view of the input.
 * @throws {RpcDecodeError}
 */
export function decodeCniRequest(bytes: Uint8Array): CniRequest {
  const reader = new ProtoReader("CniRequest", bytes);
  let command = "";
  let containerId = "";
  let netns = "";
  let ifname = "";
  let args = "";
  let path = "";
  let config: Uint8Array = EMPTY;
  let cniVersion = "";
  for (let tag = reader.tag(); tag !== undefined; tag = reader.tag()) {
    switch (tag) {
      case 1 << 3 | LEN:
        command = reader.string();
        break;
      case 2 << 3 | LEN:
        containerId = reader.string();
        break;
      case 3 << 3 | LEN:
        netns = reader.string();
        break;
      case 4 << 3 | LEN:
        ifname = reader.string();
        break;
      case 5 << 3 | LEN:
        args = reader.string();
        break;
      case 6 << 3 | LEN:
        path = reader.string();
        break;
      case 7 << 3 | LEN:
        config = reader.bytes();
        break;
      case 8 << 3 | LEN:
        cniVersion = reader.string();
        break;
      default:
        reader.skip(tag);
    }
  }
  return { command, containerId, netns, ifname, args, path, config, cniVersion };
}

/** The wire form of a reply. */
export function encodeCniReply(reply: CniReply): Uint8Array {
  return new ProtoWriter()
    .uint32(1, reply.code)
    .string(2, reply.message)
    .string(3, reply.details)
    .bytes(4, reply.result)
    .finish();
}

/**
 * Reads a reply, by the rules of {@link decodeCniRequest}. `result` is a view of the input.
 * @throws {RpcDecodeError}
 */
export function decodeCniReply(bytes: Uint8Array): CniReply {
  const reader = new ProtoReader("CniReply", bytes);
  let code = 0;
  let message = "";
  let details = "";
  let result: Uint8Array = EMPTY;
  for (let tag = reader.tag(); tag !== undefined; tag = reader.tag()) {
    switch (tag) {
      case 1 << 3 | VARINT:
        code = reader.uint32();
        break;
      case 2 << 3 | LEN:
        message = reader.string();
        break;
      case 3 << 3 | LEN:
        details = reader.string();
        break;
      case 4 << 3 | LEN:
        result = reader.bytes();
        break;
      default:
        reader.skip(tag);
    }
  }
  return { code, message, details, result };
}
