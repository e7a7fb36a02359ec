import { assert, assertEquals, assertThrows } from "@contiv/assert";
import fc from "fast-check";
import { createRequire } from "node:module";
import protobuf from "protobufjs";
import { WireError } from "./wire_error.ts";
import type { MessageType } from "./message_type.ts";
import * as messages from "./messages.ts";

/** etcd's own definitions, as the client library brings them. */
const PROTO = new URL(
  "proto/rpc.proto",
  `file://${createRequire(import.meta.url).resolve("etcd3/package.json")}`,
).pathname;
const ROOT = protobuf.loadSync(PROTO);

/** Ours by etcd's names. */
const TYPES: Readonly<Record<string, MessageType<object>>> = Object.fromEntries(
  Object.entries({
    "mvccpb.KeyValue": messages.KeyValue,
    "mvccpb.Event": messages.Event,
    "ResponseHeader": messages.ResponseHeader,
    "RangeRequest": messages.RangeRequest,
    "RangeResponse": messages.RangeResponse,
    "PutRequest": messages.PutRequest,
    "PutResponse": messages.PutResponse,
    "DeleteRangeRequest": messages.DeleteRangeRequest,
    "DeleteRangeResponse": messages.DeleteRangeResponse,
    "TxnRequest": messages.TxnRequest,
    "TxnResponse": messages.TxnResponse,
    "CompactionRequest": messages.CompactionRequest,
    "CompactionResponse": messages.Acknowledgement,
    "WatchRequest": messages.WatchRequest,
    "WatchResponse": messages.WatchResponse,
    "LeaseGrantRequest": messages.LeaseGrantRequest,
    "LeaseRevokeRequest": messages.LeaseRequest,
    "LeaseRevokeResponse": messages.Acknowledgement,
    "LeaseKeepAliveRequest": messages.LeaseRequest,
    "LeaseKeepAliveResponse": messages.LeaseKeepAliveResponse,
    "LeaseTimeToLiveRequest": messages.LeaseTimeToLiveRequest,
    "LeaseTimeToLiveResponse": messages.LeaseTimeToLiveResponse,
    "MemberListResponse": messages.MemberListResponse,
    "StatusResponse": messages.StatusResponse,
    "AlarmRequest": messages.AlarmRequest,
    "AlarmResponse": messages.AlarmResponse,
  }).map(([name, type]) => [name, type as unknown as MessageType<object>]),
);

function protoType(name: string): protobuf.Type {
  return ROOT.lookupType(name.includes(".") ? name : `etcdserverpb.${name}`);
}

/** Numbers that take every length on the wire, negative ones included. */
const int64 = fc.oneof(fc.nat(3), fc.maxSafeNat(), fc.maxSafeInteger());

/** Any value of a message, by etcd's definitions; messages in messages up to a depth. */
function anyOf(type: protobuf.Type, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const fields = Object.fromEntries(
    type.fieldsArray.flatMap((field) => {
      field.resolve();
      const value = anyField(field, depth);
      if (value === undefined) return [];
      return [[field.name, field.repeated ? fc.array(value, { maxLength: 4 }) : value]];
    }),
  );
  return fc.record(fields, { requiredKeys: [], noNullPrototype: true });
}

function anyField(field: protobuf.Field, depth: number): fc.Arbitrary<unknown> | undefined {
  if (field.resolvedType instanceof protobuf.Type) {
    return depth === 0 ? undefined : anyOf(field.resolvedType, depth - 1);
  }
  if (field.resolvedType instanceof protobuf.Enum) {
    return fc.constantFrom(...Object.values(field.resolvedType.values));
  }
  switch (field.type) {
    case "bytes":
      return fc.uint8Array({ maxLength: 300 });
    case "string":
      return fc.string({ unit: "grapheme", maxLength: 50 });
    case "bool":
      return fc.boolean();
    default:
      return field.type.startsWith("u") ? fc.maxSafeNat() : int64;
  }
}

/** Octets as etcd's definitions read them; a default that is written means the same as none. */
function meaning(type: protobuf.Type, bytes: Uint8Array): unknown {
  return withoutDefaults(type.toObject(type.decode(bytes), { longs: String, bytes: String }));
}

function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([, each]) =>
    ![0, "0", "", false].includes(each) && !(Array.isArray(each) && each.length === 0)
  );
  return Object.fromEntries(kept.map(([key, each]) => [key, withoutDefaults(each)]));
}

Deno.test("what another protobuf writes is read and written back with the same meaning", async (t) => {
  for (const [name, ours] of Object.entries(TYPES)) {
    await t.step(name, () => {
      const theirs = protoType(name);
      fc.assert(
        fc.property(anyOf(theirs, 3), (message) => {
          const bytes = theirs.encode(theirs.fromObject(message)).finish();
          const again = ours.encode(ours.decode(bytes));
          assertEquals(meaning(theirs, again), meaning(theirs, bytes));
        }),
        { numRuns: 100, seed: 7 },
      );
    });
  }
});

/** A message with something changed, cut or put in at random. */
const damaged = fc.constantFrom(...Object.keys(TYPES)).chain((name) => {
  const theirs = protoType(name);
  const whole = anyOf(theirs, 3).map((message) => theirs.encode(theirs.fromObject(message)));
  const edits = fc.array(
    fc.record({ at: fc.nat(), cut: fc.nat(3), insert: fc.uint8Array({ maxLength: 3 }) }),
    { maxLength: 4 },
  );
  return fc.record({
    name: fc.constant(name),
    bytes: fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.tuple(whole, edits).map(([writer, changes]) => {
        const octets = [...writer.finish()];
        for (const { at, cut, insert } of changes) {
          octets.splice(at % (octets.length + 1), cut, ...insert);
        }
        return Uint8Array.from(octets);
      }),
    ),
  });
});

Deno.test("10,000 damaged messages are refused, or mean the same after being written again", () => {
  let read = 0;
  fc.assert(
    fc.property(damaged, ({ name, bytes }) => {
      const type = TYPES[name] as MessageType<object>;
      let first: object;
      try {
        first = type.decode(bytes);
      } catch (error) {
        assert(error instanceof WireError, `${name}: ${error}`);
        return;
      }
      read++;
      const written = type.encode(first);
      assertEquals(type.encode(type.decode(written)), written);
    }),
    { numRuns: 10_000, seed: 2 },
  );
  assert(read > 1_000, `only ${read} of them could be read`);
});

Deno.test("what is not protobuf is refused with place and reason", async (t) => {
  const cases: Record<string, readonly [number[], string]> = {
    "a length beyond the end": [[0x0a, 5, 1], "at octet 1: a length beyond the end"],
    "a number that is cut": [[0x18, 0x80], "a cut number, wanted its last octet"],
    "a number of 11 octets": [[0x18, ...new Array(10).fill(0x80), 1], "more than 10 octets"],
    "field 0": [[0x00, 1], "field number 0"],
    "a key that is a number": [[0x08, 1], "wire type 0, wanted 2 for key"],
    "a group without end": [[0x7b, 0x08, 1], "a group without end"],
    "the end of no group": [[0x7c], "the end of no group"],
    "wire type 7": [[0x7f], "wire type 7, wanted 0 to 5"],
  };
  for (const [name, [octets, message]] of Object.entries(cases)) {
    await t.step(name, () => {
      const decode = (): unknown => messages.RangeRequest.decode(Uint8Array.from(octets));
      assertThrows(decode, WireError, message);
    });
  }
  await t.step("a transaction in 20 others", () => {
    const decode = (): unknown => messages.TxnRequest.decode(nest(20));
    assertThrows(decode, WireError, "deeper messages, wanted at most 32");
    messages.TxnRequest.decode(nest(15));
  });
});

/** A transaction within others, without our own encoder. */
function nest(depth: number): Uint8Array {
  let bytes: number[] = [];
  for (let i = 0; i < depth * 2; i++) {
    bytes = [(i % 2 === 0 ? 4 : 2) << 3 | 2, bytes.length, ...bytes];
  }
  return Uint8Array.from(bytes);
}

Deno.test("fields of a later version are passed over", () => {
  const known = messages.PutRequest.encode({ key: Uint8Array.of(1), value: Uint8Array.of(2) });
  const unknown = [0xa0, 0x06, 1, 0xa2, 0x06, 1, 9, 0xa5, 0x06, 1, 2, 3, 4, 0xa3, 0x06, 0xa4, 0x06];
  const { key, value } = messages.PutRequest.decode(Uint8Array.from([...unknown, ...known]));
  assertEquals([[...key], [...value]], [[1], [2]]);
});
