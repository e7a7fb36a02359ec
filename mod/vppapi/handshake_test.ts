import { assertEquals, assertThrows } from "@contiv/assert";
import { ByteWriter } from "./byte_writer.ts";
import { Codec } from "./codec.ts";
import { VppSchemaError } from "./error.ts";
import { FRAME_HEADER_SIZE } from "./frame.ts";
import { decodeHello, decodeHelloReply, encodeHello, encodeHelloReply } from "./handshake.ts";
import { Schema } from "./schema.ts";

const codec = new Codec(Schema.builtin());

Deno.test("a hello has number 15, a context and the client's name", () => {
  const writer = new ByteWriter();
  encodeHello(codec, { context: 9, name: "contiv" }, writer);
  assertEquals(
    writer.view().toHex(),
    "0000000000000000" + "00000046" + "00000000" + "000f" + "00000009" +
      "636f6e746976".padEnd(128, "0"),
  );
  const hello = decodeHello(codec, writer.bytes, FRAME_HEADER_SIZE, writer.length);
  assertEquals(hello, { context: 9, name: "contiv" });
});

Deno.test("the answer to a hello has number 16 and carries the message table", () => {
  const writer = new ByteWriter();
  const reply = {
    context: 9,
    response: 0,
    index: 0x80000001,
    table: [{ index: 15, name: "sockclnt_create_455fb9c4" }, { index: 700, name: "x_01234567" }],
  };
  encodeHelloReply(codec, reply, writer);
  assertEquals(
    writer.view().subarray(FRAME_HEADER_SIZE, FRAME_HEADER_SIZE + 22).toHex(),
    "0010" + "80000001" + "00000009" + "00000000" + "80000001" + "0002" + "000f",
  );
  assertEquals(decodeHelloReply(codec, writer.bytes, FRAME_HEADER_SIZE, writer.length), reply);
});

Deno.test("another message in place of a hello is refused", () => {
  const bytes = new Uint8Array([0, 17, 0, 0, 0, 0]);
  for (const end of [0, 1, 6]) {
    assertThrows(() => decodeHello(codec, bytes, 0, end), VppSchemaError);
    assertThrows(() => decodeHelloReply(codec, bytes, 0, end), VppSchemaError);
  }
});
