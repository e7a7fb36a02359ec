import { assert, assertEquals, assertThrows } from "@contiv/assert";
import { ApiDirectory } from "./api_directory.ts";
import { documentOfApiFiles } from "./api_files.ts";
import { VppSchemaError } from "./error.ts";
import { Schema } from "./schema.ts";

/** Every form of VPP's descriptions that there is, and types that both files import. */
const SHARED = {
  types: [
    ["thing", ["u8", "kind"], ["vl_api_body_t", "un", { discriminator: "kind" }], {
      comment: "a comment",
    }],
  ],
  unions: [["body", ["vl_api_mac_t", "mac", { case: "MAC" }], ["u32", "number"]]],
  enums: [["colour", ["RED", 0], ["GREEN", 1], { enumtype: "u8" }]],
  enumflags: [["flags", ["A", 1], ["B", 2], { enumtype: "u16" }]],
  aliases: { mac: { type: "u8", length: 6 }, index: { type: "u32" } },
};
const ONE = {
  ...SHARED,
  messages: [
    [
      "paint",
      ["u16", "_vl_msg_id"],
      ["u32", "client_index"],
      ["u32", "context"],
      [
        "vl_api_colour_t",
        "colour",
      ],
      ["bool", "wet", { default: "true" }],
      ["u16", "mtu", { default: 1500 }],
      ["u8", "n"],
      [
        "vl_api_thing_t",
        "things",
        0,
        "n",
      ],
      ["string", "tag", 16],
      ["string", "text", 0],
      { crc: "0x01020304", options: {} },
    ],
    ["paint_reply", ["u16", "_vl_msg_id"], ["u32", "context"], ["i32", "retval"], {
      crc: "0x0a0b0c0d",
    }],
  ],
  services: { paint: { reply: "paint_reply", events: ["dried"] } },
};
const TWO = {
  ...SHARED,
  messages: [
    ["walls_get", ["u16", "_vl_msg_id"], ["u32", "client_index"], ["u32", "context"], {
      crc: "0x00000001",
    }],
    ["walls_get_reply", ["u16", "_vl_msg_id"], ["u32", "context"], ["i32", "retval"], {
      crc: "0x00000002",
    }],
    ["walls_details", ["u16", "_vl_msg_id"], ["u32", "context"], ["vl_api_flags_t", "flags"], {
      crc: "0x00000003",
    }],
    ["dried", ["u16", "_vl_msg_id"], ["u32", "client_index"], { crc: "0x00000004" }],
  ],
  services: {
    walls_get: { reply: "walls_get_reply", stream: true, stream_msg: "walls_details" },
    dried: { reply: "null" },
  },
};

const file = (name: string, value: unknown): { name: string; text: string } => ({
  name,
  text: JSON.stringify(value),
});

Deno.test("VPP's descriptions become a schema", () => {
  const document = documentOfApiFiles([file("one", ONE), file("two", TWO)], "test");
  const schema = Schema.parse(document);
  const { body, events, key, reply } = schema.message("paint");
  assertEquals([key, reply, events], ["paint_01020304", "paint_reply", ["dried"]]);
  assertEquals(
    body.fields.map(({ name, kind, size, fallback }) => [name, kind, size, fallback]),
    [
      ["colour", "u8", 1, 0],
      ["wet", "bool", 1, true],
      ["mtu", "u16", 2, 1500],
      ["n", "count", 1, 0],
      ["things", "list_counted", 0, 0],
      ["tag", "string", 16, 0],
      ["text", "string_counted", 4, 0],
    ],
  );
  assertEquals(body.fields[4]?.element?.size, 7);
  assertEquals(body.fields[0]?.values, { RED: 0, GREEN: 1 });
  const walls = schema.message("walls_get");
  assertEquals([walls.role, walls.reply], ["dump", "walls_details"]);
  assertEquals(schema.message("dried").role, "event");
});

Deno.test("a name with two meanings stands for nothing, and the rest goes on", () => {
  const other = { ...TWO, types: [["thing", ["u32", "kind"]]] };
  const schema = Schema.of(documentOfApiFiles([file("one", ONE), file("two", other)], "test"));
  assertThrows(() => schema.message("paint"), VppSchemaError, "no type thing");
  assertEquals(schema.message("walls_get").reply, "walls_details");
});

Deno.test("a file of another form is refused by name", () => {
  const cases: [string, string][] = [
    ["{", "Cannot read bad: "],
    ["{}", "Cannot read bad: "],
    [JSON.stringify({ ...ONE, messages: [["m", ["u16", "_vl_msg_id"], {}]] }), "crc"],
    [JSON.stringify({ ...ONE, messages: [["m", [1, 2], { crc: "0x00000001" }]] }), "field"],
  ];
  for (const [text, message] of cases) {
    assertThrows(() => documentOfApiFiles([{ name: "bad", text }], "x"), VppSchemaError, message);
  }
});

Deno.test("a directory is read once, and again when a file has changed", () => {
  const path = Deno.makeTempDirSync({ prefix: "contiv-api-" });
  try {
    const directory = new ApiDirectory(path);
    assertEquals(directory.load(), undefined);
    assertEquals(new ApiDirectory(`${path}/absent`).load(), undefined);
    for (const each of ["core", "plugins", "plugins/deeper"]) Deno.mkdirSync(`${path}/${each}`);
    Deno.writeTextFileSync(`${path}/core/one.api.json`, JSON.stringify(ONE));
    Deno.writeTextFileSync(`${path}/plugins/two.api.json`, JSON.stringify(TWO));
    Deno.writeTextFileSync(`${path}/plugins/note.json`, "no description");
    Deno.writeTextFileSync(`${path}/plugins/deeper/three.api.json`, "not looked at");
    const first = directory.load();
    assertEquals(first?.names().toSorted(), [
      "dried",
      "paint",
      "paint_reply",
      "walls_details",
      "walls_get",
      "walls_get_reply",
    ]);
    assert(directory.load() === first, "read again without a change");
    Deno.removeSync(`${path}/plugins/two.api.json`);
    assertEquals(directory.load()?.names(), ["paint", "paint_reply"]);
    Deno.writeTextFileSync(`${path}/core/one.api.json`, "{");
    assertThrows(() => directory.load(), VppSchemaError, `${path}/core/one.api.json`);
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
});
