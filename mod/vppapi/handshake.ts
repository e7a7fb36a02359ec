import type { ByteWriter } from "./byte_writer.ts";
import type { Codec } from "./codec.ts";
import type { MessageTableEntry } from "./messages.ts";
import { HELLO_ID, HELLO_REPLY_ID } from "./_ids.ts";
import { readU16 } from "./_integers.ts";
import { beginFrame, endFrame } from "./frame.ts";
import { VppSchemaError } from "./error.ts";

/** First message of a client. */
export interface Hello {
  readonly context: number;
  /** Client's name as VPP shows it, at most 63 bytes. */
  readonly name: string;
}

/** VPP's answer to the hello. */
export interface HelloReply {
  readonly context: number;
  /** 0 if the client is accepted. */
  readonly response: number;
  /** Index that the client puts into its requests. */
  readonly index: number;
  readonly table: readonly MessageTableEntry[];
}

/** Appends the framed hello of a client. Source: VPP's memclnt.api, `sockclnt_create`. */
export function encodeHello(codec: Codec, hello: Hello, writer: ByteWriter): void {
  const frame = beginFrame(writer);
  const header = { id: HELLO_ID, clientIndex: 0, context: hello.context };
  codec.encode("sockclnt_create", header, { name: hello.name }, writer);
  endFrame(writer, frame);
}

/**
 * Reads a hello from the payload `bytes[start..end)`.
 *
 * @throws {VppSchemaError} if the payload is not a hello
 */
export function decodeHello(codec: Codec, bytes: Uint8Array, start: number, end: number): Hello {
  expectId(bytes, start, end, HELLO_ID, "hello");
  const { context } = codec.header("sockclnt_create", bytes, start, end);
  return { context, name: codec.decode("sockclnt_create", bytes, start, end).name };
}

/** Appends the framed answer to a hello. Source: memclnt.api, `sockclnt_create_reply`. */
export function encodeHelloReply(codec: Codec, reply: HelloReply, writer: ByteWriter): void {
  const frame = beginFrame(writer);
  const header = { id: HELLO_REPLY_ID, clientIndex: reply.index, context: reply.context };
  const fields = { response: reply.response, index: reply.index, message_table: reply.table };
  codec.encode("sockclnt_create_reply", header, fields, writer);
  endFrame(writer, frame);
}

/**
 * Reads the answer to a hello from the payload `bytes[start..end)`.
 *
 * @throws {VppSchemaError} if the payload is not such an answer
 */
export function decodeHelloReply(
  codec: Codec,
  bytes: Uint8Array,
  start: number,
  end: number,
): HelloReply {
  expectId(bytes, start, end, HELLO_REPLY_ID, "hello's reply");
  const { context } = codec.header("sockclnt_create_reply", bytes, start, end);
  const fields = codec.decode("sockclnt_create_reply", bytes, start, end);
  return { context, response: fields.response, index: fields.index, table: fields.message_table };
}

function expectId(
  bytes: Uint8Array,
  start: number,
  end: number,
  wanted: number,
  what: string,
): void {
  const id = end - start < 2 ? "none" : readU16(bytes, start);
  if (id !== wanted) {
    throw new VppSchemaError(
      `Cannot read ${what}: message number ${id} received, ${wanted} wanted`,
    );
  }
}
