import { assert, assertEquals, assertThrows } from "@contiv/assert";
import { ByteWriter } from "./byte_writer.ts";
import { decodeMessage, encodeMessage } from "./codec.ts";
import { VppSchemaError } from "./error.ts";
import { Schema } from "./schema.ts";
import type { FieldDocument, SchemaDocument } from "./schema_document.ts";

const HEAD: FieldDocument[] = [
  { name: "_vl_msg_id", type: "u16" },
  { name: "client_index", type: "u32" },
  { name: "context", type: "u32" },
];

function documentOf(fields: FieldDocument[], more: Partial<SchemaDocument> = {}): SchemaDocument {
  const messages = { m: { crc: "0x01234567", fields: [...HEAD, ...fields] } };
  return { vpp: "test", aliases: {}, enums: {}, types: {}, unions: {}, messages, ...more };
}

Deno.test("every message of the built-in schema resolves", () => {
  const schema = Schema.builtin();
  assertEquals(schema.version, "26.06");
  assertEquals(schema.names().length, 227);
  for (const name of schema.names()) assertEquals(schema.message(name).name, name);
});

Deno.test("a layout tells a message's place in the conversation", () => {
  const schema = Schema.builtin();
  const { key, role, reply, body } = schema.message("sw_interface_dump");
  assertEquals([key, role, reply], ["sw_interface_dump_aa610c27", "dump", "sw_interface_details"]);
  assertEquals([body.fixed, body.size], [false, 9]);
  assertEquals(schema.message("control_ping").role, "request");
  assertEquals(schema.message("sw_interface_event").role, "event");
  assertEquals(schema.message("sw_interface_details").role, "reply");
  assertEquals(schema.message("sw_interface_event").contextAt, -1);
});

Deno.test("a name that the schema lacks is refused", () => {
  for (const name of ["tap_create_v9", "constructor", ""]) {
    assertEquals(Schema.builtin().has(name), false);
    assertThrows(() => Schema.builtin().message(name), VppSchemaError);
  }
});

Deno.test("names in the message table are cut at 63 bytes", () => {
  const name = "n".repeat(60);
  const messages = { [name]: { crc: "0x01234567", fields: HEAD } };
  const schema = Schema.parse(documentOf([], { messages }));
  assertEquals(schema.message(name).key, `${"n".repeat(60)}_01`);
});

Deno.test("kinds that the built-in schema does not use work, too", () => {
  const schema = Schema.parse(
    documentOf([
      { name: "n_before", type: "u32" },
      { name: "before", type: "u8", length: 0, lengthField: "n_before" },
      { name: "text", type: "string", length: 0 },
      { name: "wide", type: "u64", default: 7 },
      { name: "deep", type: "i64" },
      { name: "tiny", type: "i8" },
      { name: "short", type: "i16" },
      { name: "macs", type: "vl_api_mac_t", length: 2 },
      { name: "n", type: "u16" },
      { name: "pairs", type: "vl_api_pair_t", length: 0, lengthField: "n" },
    ], {
      aliases: { mac: { type: "u8", length: 6 } },
      types: { pair: [{ name: "name", type: "string", length: 0 }, { name: "x", type: "i32" }] },
    }),
  );
  const fields = {
    before: new Uint8Array([1, 2, 3]),
    text: "h\u00fcllo",
    wide: 2n ** 64n - 1n,
    deep: -(2n ** 63n),
    tiny: -128,
    short: -32_768,
    macs: [new Uint8Array(6).fill(1), new Uint8Array(6).fill(2)],
    pairs: [{ name: "a", x: -1 }, { name: "", x: 2 }],
  };
  const layout = schema.message("m");
  const writer = new ByteWriter(1);
  encodeMessage(layout, { id: 1, clientIndex: 2, context: 3 }, fields, writer);
  assertEquals(decodeMessage(layout, writer.bytes, 0, writer.length), fields);
  for (let end = 0; end < writer.length; end++) {
    assertThrows(() => decodeMessage(layout, writer.bytes, 0, end), VppSchemaError);
  }
});

Deno.test("a document that contradicts itself is refused by name", async (t) => {
  const cases: [string, unknown, RegExp][] = [
    ["no object", null, /no VPP version/],
    ["no version", {}, /no VPP version/],
    ["no types", { ...documentOf([]), types: undefined }, /types is undefined/],
    ["unknown type", documentOf([{ name: "a", type: "nope" }]), /m\.a: .*no type nope/],
    ["prototype's type", documentOf([{ name: "a", type: "toString" }]), /no type toString/],
    [
      "recursive type",
      documentOf([{ name: "a", type: "t" }], { types: { t: [{ name: "b", type: "t" }] } }),
      /contains itself/,
    ],
    [
      "recursive alias",
      documentOf([{ name: "a", type: "x" }], { aliases: { x: { type: "x" } } }),
      /contains itself/,
    ],
    [
      "count behind its list",
      documentOf([{ name: "a", type: "u8", length: 0, lengthField: "n" }, {
        name: "n",
        type: "u8",
      }]),
      /count n does not stand before it/,
    ],
    [
      "count that is no integer",
      documentOf([{ name: "n", type: "bool" }, { name: "a", type: "u32", lengthField: "n" }]),
      /m\.n: it is bool/,
    ],
    ["bad crc", documentOf([], { messages: { m: { crc: "7", fields: HEAD } } }), /a crc wanted/],
    [
      "no message number",
      documentOf([], { messages: { m: { crc: "0x01234567", fields: [] } } }),
      /starts with nothing/,
    ],
    ["bad length", documentOf([{ name: "a", type: "u8", length: -1 }]), /a list of fields/],
    ["bad default", documentOf([{ name: "a", type: "u8", default: "many" }]), /default "many"/],
  ];
  for (const [name, document, message] of cases) {
    await t.step(name, () => {
      const error = assertThrows(() => Schema.parse(document), VppSchemaError);
      assert(message.test(error.message), error.message);
    });
  }
});
