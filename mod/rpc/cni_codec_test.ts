import { assertEquals, assertThrows } from "@contiv/assert";
import fc from "fast-check";
import protobuf from "protobufjs";
import {
  type CniReply,
  type CniRequest,
  decodeCniReply,
  decodeCniRequest,
  encodeCniReply,
  encodeCniRequest,
} from "./cni_codec.ts";
import { RpcDecodeError } from "./decode_error.ts";

const SCHEMA = protobuf.parse(
  Deno.readTextFileSync(new URL("./cni.proto", import.meta.url)),
).root;
const Request = SCHEMA.lookupType("contiv.cni.v1.CniRequest");
const Reply = SCHEMA.lookupType("contiv.cni.v1.CniReply");

const text = fc.string({ unit: "grapheme", maxLength: 200 });
const requests: fc.Arbitrary<CniRequest> = fc.record({
  command: text,
  containerId: text,
  netns: text,
  ifname: text,
  args: text,
  path: text,
  config: fc.uint8Array({ maxLength: 400 }),
  cniVersion: text,
}, { noNullPrototype: true });
const replies: fc.Arbitrary<CniReply> = fc.record({
  code: fc.nat(0xffffffff),
  message: text,
  details: text,
  result: fc.uint8Array({ maxLength: 400 }),
}, { noNullPrototype: true });

/** protobufjs gives Buffers; equality is of octets. */
function plain(message: protobuf.Message): Record<string, unknown> {
  const object = message.$type.toObject(message, { defaults: true, bytes: Array });
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) =>
      Array.isArray(value) ? [key, Uint8Array.from(value)] : [key, value]
    ),
  );
}

Deno.test("protobufjs reads our requests and we read its", () => {
  fc.assert(fc.property(requests, (request) => {
    assertEquals(plain(Request.decode(encodeCniRequest(request))), { ...request });
    assertEquals(decodeCniRequest(Uint8Array.from(Request.encode(request).finish())), request);
  }));
});

Deno.test("protobufjs reads our replies and we read its", () => {
  fc.assert(fc.property(replies, (reply) => {
    assertEquals(plain(Reply.decode(encodeCniReply(reply))), { ...reply });
    assertEquals(decodeCniReply(Uint8Array.from(Reply.encode(reply).finish())), reply);
  }));
});

Deno.test("an empty message has all defaults and encodes to nothing", () => {
  const empty = new Uint8Array(0);
  const reply = decodeCniReply(empty);
  assertEquals(reply, { code: 0, message: "", details: "", result: empty });
  assertEquals(encodeCniReply(reply), empty);
});

Deno.test("unknown fields of every wire type are passed over, and the last of a field counts", () => {
  // deno-fmt-ignore
  const bytes = Uint8Array.of(
    0x78, 0x96, 0x01, // 15: varint
    0x79, 1, 2, 3, 4, 5, 6, 7, 8, // 15: 64 bits
    0x7a, 2, 9, 9, // 15: two octets
    0x7b, 0x08, 1, 0x7b, 0x7c, 0x7c, // 15: a group with a field and a group
    0x7d, 1, 2, 3, 4, // 15: 32 bits
    0x0a, 1, 9, // 1 as octets, which is another type than ours
    0x08, 3, 0x08, 11, // 1: 3, then 11
  );
  assertEquals(decodeCniReply(bytes).code, 11);
});

Deno.test("a number of more than 32 bits keeps its low ones", () => {
  assertEquals(
    decodeCniReply(Uint8Array.of(0x08, 0x85, 0x80, 0x80, 0x80, 0x90, 0x01)).code,
    5,
  );
});

Deno.test("malformed messages are refused with the place", async (t) => {
  const cases: readonly [name: string, bytes: number[], offset: number][] = [
    ["cut tag", [0x80], 0],
    ["field number 0", [0x00], 0],
    ["cut length", [0x12, 0x80], 1],
    ["string beyond the end", [0x12, 5, 0x61], 1],
    ["string of 4 GiB", [0x12, 0xff, 0xff, 0xff, 0xff, 0x0f], 1],
    ["number without end", [0x08, ...new Array<number>(11).fill(0x80)], 1],
    ["not UTF-8", [0x12, 1, 0xff], 1],
    ["wire type 7", [0x7f], 1],
    ["cut 64 bits", [0x79, 1, 2], 1],
    ["group without end", [0x7b], 1],
    ["end of no group", [0x7c], 1],
    ["too many groups", new Array<number>(200).fill(0x7b), 101],
  ];
  for (const [name, bytes, offset] of cases) {
    await t.step(name, () => {
      const error = assertThrows(() => decodeCniReply(Uint8Array.from(bytes)), RpcDecodeError);
      assertEquals(error.offset, offset);
    });
  }
});
