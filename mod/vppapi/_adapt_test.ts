import { assertEquals, assertMatch, assertThrows } from "@contiv/assert";
import { adaptMessage } from "./_adapt.ts";
import { ByteWriter } from "./byte_writer.ts";
import { decodeMessage, encodeMessage, type Fields } from "./codec.ts";
import { VppSchemaError } from "./error.ts";
import { Schema } from "./schema.ts";
import type { FieldDocument, SchemaDocument } from "./schema_document.ts";

const HEAD: FieldDocument[] = [
  { name: "_vl_msg_id", type: "u16" },
  { name: "context", type: "u32" },
];

const ENUMS: SchemaDocument["enums"] = {
  colour: { type: "u8", values: { RED: 0, GREEN: 1, BLUE: 2 } },
  flags: { type: "u16", values: { A: 1, B: 2, C: 4 } },
};

/** A schema with one request `m`, answered by `m_reply` of the same body. */
function schemaOf(
  version: string,
  crc: string,
  fields: FieldDocument[],
  more: Partial<SchemaDocument> = {},
): Schema {
  const body = [...HEAD, ...fields];
  return Schema.of({
    vpp: version,
    aliases: {},
    enums: ENUMS,
    types: { pair: [{ name: "x", type: "u32", default: 9 }, { name: "y", type: "u8" }] },
    unions: {},
    messages: { m: { crc, fields: body, reply: "m_reply" }, m_reply: { crc, fields: body } },
    ...more,
  });
}

interface Both {
  readonly sent: (fields: Fields) => Record<string, unknown>;
  readonly received: (fields: Fields) => Record<string, unknown>;
}

/** The program's view of a VPP: what it receives of what we send, and the other way round. */
function between(wanted: Schema, actual: Schema): Both {
  const header = { id: 1, clientIndex: 0, context: 2 };
  const owner = `VPP ${actual.version}`;
  const code = (
    from: ReturnType<Schema["message"]>,
    to: ReturnType<Schema["message"]>,
  ): (fields: Fields) => Record<string, unknown> =>
  (fields) => {
    const writer = new ByteWriter(16);
    encodeMessage(from, header, fields, writer);
    return decodeMessage(to, writer.bytes, 0, writer.length);
  };
  const ours = (name: string): ReturnType<Schema["message"]> =>
    adaptMessage(actual.message(name), wanted.message(name), owner);
  return {
    sent: (fields) => code(ours("m"), actual.message("m"))(fields),
    received: (fields) => code(actual.message("m_reply"), ours("m_reply"))(fields),
  };
}

Deno.test("fields stand where VPP has them, in its widths", () => {
  const wanted = schemaOf("new", "0x00000001", [
    { name: "a", type: "u32" },
    { name: "b", type: "u16" },
    { name: "name", type: "string", length: 64 },
  ]);
  const actual = schemaOf("old", "0x00000002", [
    { name: "name", type: "string", length: 8 },
    { name: "b", type: "u32" },
    { name: "extra", type: "u8", default: 7 },
    { name: "a", type: "u8" },
  ]);
  const { sent, received } = between(wanted, actual);
  const values = { a: 200, b: 65_000, name: "eth0" };
  assertEquals(sent(values), { ...values, extra: 7 });
  assertEquals(received({ ...values, extra: 1 }), { ...values, extra: 1 });
  // What does not fit is refused, never cut.
  assertThrows(() => sent({ a: 300 }), VppSchemaError, "m.a");
  assertThrows(() => sent({ name: "longer than seven" }), VppSchemaError, "m.name");
});

Deno.test("a field that VPP lacks must have its default when sent, and has it when received", async (t) => {
  const lacking: [FieldDocument, unknown, unknown][] = [
    [{ name: "z", type: "u32" }, 0, 5],
    [{ name: "z", type: "u8", default: 3 }, 3, 0],
    [{ name: "z", type: "bool", default: "true" }, true, false],
    [{ name: "z", type: "u64" }, 0n, 1n],
    [{ name: "z", type: "string", length: 8 }, "", "x"],
    [{ name: "z", type: "string", length: 0 }, "", "x"],
    [{ name: "z", type: "u8", length: 4 }, new Uint8Array(4), new Uint8Array([0, 1])],
    [{ name: "z", type: "u16", length: 2 }, [0, 0], [0, 1]],
  ];
  for (const [field, fallback, value] of lacking) {
    await t.step(JSON.stringify(field), () => {
      const wanted = schemaOf("new", "0x00000001", [{ name: "a", type: "u32" }, field]);
      const { sent, received } = between(
        wanted,
        schemaOf("old", "0x00000002", [{ name: "a", type: "u32" }]),
      );
      assertEquals(sent({ a: 1 }), { a: 1 });
      assertEquals(sent({ a: 1, z: fallback }), { a: 1 });
      assertEquals(received({ a: 1 }), { a: 1, z: fallback });
      const error = assertThrows(() => sent({ a: 1, z: value }), VppSchemaError);
      assertMatch(error.message, /Cannot encode m\.z: VPP old has no such field/);
    });
  }
});

Deno.test("counted lists and structs: sent empty or default, and never made up when received", () => {
  const pairs: FieldDocument[] = [
    { name: "n", type: "u8" },
    { name: "pairs", type: "vl_api_pair_t", length: 0, lengthField: "n" },
  ];
  const one: FieldDocument = { name: "one", type: "pair" };
  const actual = schemaOf("old", "0x00000002", []);
  for (const fields of [pairs, [one]]) {
    const { sent, received } = between(schemaOf("new", "0x00000001", fields), actual);
    for (const empty of [{}, { pairs: [] }, { one: { x: 9 } }, { one: {} }]) {
      if (Object.keys(empty).every((key) => fields.some(({ name }) => name === key))) {
        assertEquals(sent(empty), {});
      }
    }
    const given = fields === pairs ? { pairs: [{ x: 1 }] } : { one: { x: 1 } };
    assertThrows(() => sent(given), VppSchemaError, "has no such field");
    assertThrows(() => received({}), VppSchemaError, "does not send it");
  }
});

Deno.test("gaps are found in structs within structs and lists", () => {
  const list: FieldDocument[] = [
    { name: "n", type: "u8" },
    { name: "pairs", type: "pair", length: 0, lengthField: "n" },
  ];
  const wanted = schemaOf("new", "0x00000001", list);
  const actual = schemaOf("old", "0x00000002", list, {
    types: { pair: [{ name: "y", type: "u8" }] },
  });
  const { sent, received } = between(wanted, actual);
  assertEquals(sent({ pairs: [{ y: 1 }, { y: 2, x: 9 }] }), { pairs: [{ y: 1 }, { y: 2 }] });
  assertThrows(() => sent({ pairs: [{ y: 1 }, { x: 1 }] }), VppSchemaError, "pair.x");
  assertEquals(received({ pairs: [{ y: 1 }] }), { pairs: [{ y: 1, x: 9 }] });
});

Deno.test("values that VPP's enumeration lacks are refused, alone and as flags", () => {
  const fields: FieldDocument[] = [
    { name: "colour", type: "vl_api_colour_t" },
    { name: "flags", type: "flags" },
    { name: "many", type: "colour", length: 2 },
    { name: "list", type: "flags", length: 2 },
  ];
  const enums = {
    colour: { type: "u8", values: { RED: 0, GREEN: 1 } },
    flags: { type: "u16", values: { A: 1, C: 4 } },
  };
  const wanted = schemaOf("new", "0x00000001", fields);
  const { sent } = between(wanted, schemaOf("old", "0x00000002", fields, { enums }));
  const many = new Uint8Array([1, 0]);
  assertEquals(sent({ colour: 1, flags: 5, many, list: [4] }), {
    colour: 1,
    flags: 5,
    many,
    list: [4, 0],
  });
  const cases: [Fields, string][] = [
    [{ colour: 2 }, "m.colour: VPP old does not know the value BLUE"],
    [{ flags: 2 }, "m.flags: VPP old does not know the value B"],
    [{ flags: 7 }, "m.flags: VPP old does not know the value 7"],
    [{ many: new Uint8Array([0, 2]) }, "m.many: VPP old does not know the value BLUE"],
    [{ list: [1, 2] }, "m.list: VPP old does not know the value B"],
  ];
  for (const [given, message] of cases) assertThrows(() => sent(given), VppSchemaError, message);
});

Deno.test("a message whose values mean something else is not used", async (t) => {
  const number: FieldDocument = { name: "a", type: "u32" };
  const cases: [string, FieldDocument[], FieldDocument[], Partial<SchemaDocument>, string][] = [
    ["other kind", [number], [{ name: "a", type: "bool" }], {}, "m.a: it is bool in VPP old"],
    ["wide", [number], [{ name: "a", type: "u64" }], {}, "m.a: it is u64"],
    [
      "octets",
      [{ name: "a", type: "u8", length: 16 }],
      [{ name: "a", type: "u8", length: 4 }],
      {},
      "m.a: it is 4 bytes in VPP old, 16 bytes wanted",
    ],
    ["list", [number], [{ name: "a", type: "u32", length: 3 }], {}, "a list of 3"],
    [
      "renumbered",
      [{ name: "a", type: "colour" }],
      [{ name: "a", type: "colour" }],
      { enums: { ...ENUMS, colour: { type: "u8", values: { RED: 1, GREEN: 0 } } } },
      "RED is 1 in VPP old, 0 wanted",
    ],
    [
      "count",
      [{ name: "n", type: "u8" }, { name: "a", type: "u32", length: 0, lengthField: "n" }],
      [{ name: "n", type: "u8" }, { name: "b", type: "u32", length: 0, lengthField: "n" }],
      {},
      "a count of b",
    ],
  ];
  for (const [name, ours, theirs, more, message] of cases) {
    await t.step(name, () => {
      const wanted = schemaOf("new", "0x00000001", ours);
      const actual = schemaOf("old", "0x00000002", theirs, more);
      assertThrows(() => between(wanted, actual).sent({}), VppSchemaError, message);
    });
  }
  await t.step("other header", () => {
    const wanted = schemaOf("new", "0x00000001", []);
    const messages = { m: { crc: "0x00000002", fields: HEAD.slice(0, 1), reply: "m_reply" } };
    const actual = schemaOf("old", "0x00000002", [], { messages });
    assertThrows(() => between(wanted, actual).sent({}), VppSchemaError, "another header");
  });
});
