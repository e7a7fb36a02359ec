import { assert, assertEquals, assertThrows } from "@contiv/assert";
import fc from "fast-check";
import { ByteWriter } from "./byte_writer.ts";
import { Codec, decodeMessage, encodeMessage } from "./codec.ts";
import { VppSchemaError } from "./error.ts";
import type { Field, StructLayout } from "./layout.ts";
import type { Input, MessageName } from "./messages.ts";
import { Schema } from "./schema.ts";

const schema = Schema.builtin();
const codec = new Codec(schema);
const header = { id: 0x0102, clientIndex: 0x03040506, context: 0x0708090a };

function encode<N extends MessageName>(name: N, fields: Input<N>): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(16);
  codec.encode(name, header, fields, writer);
  return writer.view();
}

/** Bytes from text: hexadecimal, with `*n` repeating the byte before it. */
function bytes(text: string): Uint8Array<ArrayBuffer> {
  const hex = text.replaceAll(/([0-9a-f]{2})\*(\d+)/g, (_, byte, n) => byte.repeat(Number(n)));
  return Uint8Array.fromHex(hex.replaceAll(/\s/g, ""));
}

Deno.test("messages have the bytes that VPP expects", async (t) => {
  const golden: [string, Uint8Array, string][] = [
    ["a message without fields", encode("control_ping", {}), "0102 03040506 0708090a"],
    [
      "integers and flags",
      encode("sw_interface_set_flags", { sw_if_index: 5, flags: 1 }),
      "0102 03040506 0708090a 00000005 00000001",
    ],
    [
      "a counted string and a default",
      encode("sw_interface_dump", { name_filter_valid: true, name_filter: "tap" }),
      "0102 03040506 0708090a ffffffff 01 00000003 746170",
    ],
    [
      "nested structs, a shorter address in a union, an enum",
      encode("sw_interface_add_del_address", {
        sw_if_index: 1,
        is_add: true,
        prefix: { address: { af: 0, un: new Uint8Array([10, 1, 0, 1]) }, len: 32 },
      }),
      "0102 03040506 0708090a 00000001 01 00 00 0a010001 00*12 20",
    ],
    [
      "a static neighbour",
      encode("ip_neighbor_add_del", {
        is_add: true,
        neighbor: {
          sw_if_index: 2,
          flags: 1,
          mac_address: new Uint8Array([2, 0, 0, 0, 0, 9]),
          ip_address: { af: 1, un: Uint8Array.fromHex("fd".padEnd(32, "0")) },
        },
      }),
      "0102 03040506 0708090a 01 00000002 01 020000000009 01 fd 00*15",
    ],
    [
      "a route with one path: its count is filled in",
      encode("ip_route_add_del_v2", {
        route: {
          prefix: { address: { un: new Uint8Array([10, 1, 2, 3]) }, len: 32 },
          paths: [{ sw_if_index: 7, weight: 1, nh: { address: new Uint8Array([10, 1, 2, 3]) } }],
        },
      }),
      "0102 03040506 0708090a 01 00 00000000 00000000 00 0a010203 00*12 20 01 00" +
      "00000007 00000000 00000000 01 00 00000000 00000000 00000000" +
      "0a010203 00*12 00000000 00000000 00000000 00" + "00*112",
    ],
    [
      "a list of integers",
      encode("acl_interface_set_acl_list", { sw_if_index: 3, n_input: 1, acls: [8, 9] }),
      "0102 03040506 0708090a 00000003 02 01 00000008 00000009",
    ],
    [
      "fixed lists are filled with zeros",
      encode("sw_interface_set_mtu", { sw_if_index: 3, mtu: [1450] }),
      "0102 03040506 0708090a 00000003 000005aa 00*12",
    ],
    [
      "fixed strings are padded; a reply has no client index",
      encode("show_version_reply", { program: "vpe" }),
      "0102 0708090a 00000000 767065 00*29 00*32 00*32 00*256",
    ],
    [
      "negative integers",
      encode("create_loopback_instance_reply", { retval: -2, sw_if_index: 0xffffffff }),
      "0102 0708090a fffffffe ffffffff",
    ],
    [
      "an event has no context",
      encode("sw_interface_event", { pid: 7, sw_if_index: 1, flags: 3, deleted: true }),
      "0102 03040506 00000007 00000001 00000003 01",
    ],
    [
      "floating point is in the host's order",
      encode("show_vpe_system_time_reply", { vpe_system_time: 1.5 }),
      "0102 0708090a 00000000 000000000000f83f",
    ],
  ];
  for (const [name, actual, expected] of golden) {
    await t.step(name, () => assertEquals(actual, bytes(expected)));
  }
});

Deno.test("a TAP's request takes the schema's defaults and the caller's values", () => {
  const encoded = encode("tap_create_v3", {
    host_namespace_set: true,
    host_namespace: "/proc/1/ns/net",
    host_mtu_set: true,
    host_mtu_size: 1450,
    tag: "pod",
  });
  const fields = codec.decode("tap_create_v3", encoded);
  assertEquals(encoded.length, 10 + 276 + 4 + "pod".length);
  assertEquals(
    [fields.id, fields.use_random_mac, fields.num_rx_queues, fields.rx_ring_sz],
    [0xffffffff, true, 1, 256],
  );
  assertEquals([fields.host_namespace, fields.host_mtu_size, fields.tag], [
    "/proc/1/ns/net",
    1450,
    "pod",
  ]);
});

Deno.test("a message's header is read apart from its body", () => {
  assertEquals(codec.header("control_ping", encode("control_ping", {})), header);
  const reply = codec.header("control_ping_reply", encode("control_ping_reply", {}));
  assertEquals(reply, { ...header, clientIndex: 0 });
});

Deno.test("a value that does not fit is refused by its field's name and leaves nothing", async (t) => {
  const wide = "x".repeat(64);
  const cases: [string, () => unknown, RegExp][] = [
    ["u8", () => encode("ip_route_add_del_v2", { route: { src: 256 } }), /ip_route_v2\.src.*256/],
    ["u16", () => encode("tap_create_v3", { num_rx_queues: 65_536 }), /num_rx_queues.*65536.*u16/],
    ["u32", () => encode("sw_interface_set_flags", { sw_if_index: -1 }), /sw_if_index.*-1.*u32/],
    ["a fraction", () => encode("sw_interface_set_flags", { flags: 0.5 }), /flags.*0\.5/],
    ["not a number", () => encode("sw_interface_set_flags", { flags: NaN }), /flags.*NaN/],
    ["i32", () => encode("control_ping_reply", { retval: 2 ** 31 }), /retval.*2147483648/],
    ["a long string", () => encode("acl_add_replace", { tag: wide }), /tag.*at most 63 bytes/],
    ["a zero byte", () => encode("acl_add_replace", { tag: "a\0b" }), /tag.*without a zero byte/],
    [
      "a long address",
      () => encode("tap_create_v3", { mac_address: new Uint8Array(7) }),
      /mac_address: 7 bytes given, at most 6/,
    ],
    [
      "a long list",
      () => encode("sw_interface_set_mtu", { mtu: [1, 2, 3, 4, 5] }),
      /mtu: 5 elements given, at most 4/,
    ],
    [
      "more elements than the count can say",
      () => encode("ip_route_add_del_v2", { route: { paths: Array(256).fill({}) } }),
      /n_paths.*256/,
    ],
    ["another type", () => {
      const fields = { is_add: 1 } as unknown as Input<"ip_neighbor_add_del">;
      return encode("ip_neighbor_add_del", fields);
    }, /is_add: number 1 given, bool wanted/],
  ];
  for (const [name, act, message] of cases) {
    await t.step(name, () => {
      const error = assertThrows(act, VppSchemaError);
      assert(message.test(error.message), error.message);
    });
  }
  const writer = new ByteWriter();
  const bad = (): void => codec.encode("acl_add_replace", header, { tag: wide }, writer);
  assertThrows(bad, VppSchemaError);
  assertEquals(writer.length, 0);
});

Deno.test("decoded bytes are copies", () => {
  const encoded = encode("tap_create_v3", { mac_address: new Uint8Array([1, 2, 3, 4, 5, 6]) });
  const { mac_address } = codec.decode("tap_create_v3", encoded);
  encoded.fill(0);
  assertEquals(mac_address, new Uint8Array([1, 2, 3, 4, 5, 6]));
});

/** Any value of a field, as its decoder would return it. */
function arbitraryOf(field: Field): fc.Arbitrary<unknown> {
  const octets = (size: number): fc.Arbitrary<Uint8Array> =>
    fc.uint8Array({ minLength: size, maxLength: size });
  switch (field.kind) {
    case "u8":
      return fc.integer({ min: 0, max: 0xff });
    case "u16":
      return fc.integer({ min: 0, max: 0xffff });
    case "u32":
      return fc.integer({ min: 0, max: 0xffffffff });
    case "i8":
      return fc.integer({ min: -0x80, max: 0x7f });
    case "i16":
      return fc.integer({ min: -0x8000, max: 0x7fff });
    case "i32":
      return fc.integer();
    case "u64":
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    case "i64":
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case "f64":
      return fc.double();
    case "bool":
      return fc.boolean();
    case "bytes":
      return octets(field.size);
    case "bytes_counted":
      return fc.uint8Array({ maxLength: 20 });
    case "string":
      return text(field.size - 1);
    case "string_counted":
      return text(100);
    case "struct":
      return arbitraryStruct(field.struct as StructLayout);
    case "list":
      return fc.array(arbitraryOf(field.element as Field), {
        minLength: field.length,
        maxLength: field.length,
      });
    case "list_counted":
      return fc.array(arbitraryOf(field.element as Field), { maxLength: 3 });
    case "count":
      throw new Error("counts are no values");
  }
}

function text(maximum: number): fc.Arbitrary<string> {
  return fc.string({ unit: "grapheme", maxLength: Math.ceil(maximum / 4) }).filter((value) =>
    !value.includes("\0") && new TextEncoder().encode(value).length <= maximum
  );
}

function arbitraryStruct(struct: StructLayout): fc.Arbitrary<Record<string, unknown>> {
  const fields = struct.fields.filter((field) => field.kind !== "count");
  const values = fields.map((field) => [field.name, arbitraryOf(field)]);
  return fc.record(Object.fromEntries(values), { noNullPrototype: true });
}

Deno.test("every message decodes to what was encoded and encodes to the same bytes", () => {
  for (const name of schema.names()) {
    const layout = schema.message(name);
    const property = fc.property(arbitraryStruct(layout.body), (fields) => {
      const first = new ByteWriter(8);
      encodeMessage(layout, header, fields, first);
      const decoded = decodeMessage(layout, first.bytes, 0, first.length);
      assertEquals(decoded, fields);
      const second = new ByteWriter(8);
      encodeMessage(layout, header, decoded, second);
      assertEquals(second.view(), first.view());
    });
    fc.assert(property, { numRuns: 10, seed: 26_06 });
  }
});

Deno.test("arbitrary bytes decode or are refused by a VppSchemaError", () => {
  let state = 0x2606;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
  const names = schema.names();
  let decoded = 0;
  for (let run = 0; run < 20_000; run++) {
    const layout = schema.message(names[run % names.length] as string);
    const size = layout.headerSize + layout.body.size - 2 + random(60);
    const noise = Uint8Array.from({ length: size }, () => random(4) === 0 ? random(256) : 0);
    try {
      decodeMessage(layout, noise, 0, noise.length);
      decoded++;
    } catch (error) {
      assert(error instanceof VppSchemaError, String(error));
    }
  }
  assert(decoded > 5_000, `only ${decoded} were decoded`);
});

Deno.test("a count is not believed before its elements are there", () => {
  const message = bytes("0102 0708090a 00000003" + "00*64" + "ffffffff");
  const error = assertThrows(() => codec.decode("acl_details", message), VppSchemaError);
  assert(/acl_details\.r: 0 bytes left/.test(error.message), error.message);
});

Deno.test("a message cut at any byte is refused", () => {
  const whole = encode("ip_route_v2_details", { route: { paths: [{}, {}] } });
  for (let end = 0; end < whole.length; end++) {
    assertThrows(() => codec.decode("ip_route_v2_details", whole, 0, end), VppSchemaError);
  }
});
