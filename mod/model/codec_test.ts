import { assert, assertEquals, assertThrows } from "@contiv/assert";
import fc from "fast-check";
import { objectId } from "./cluster_object.ts";
import { decodeObject, encodeObject } from "./codec.ts";
import type { Kind } from "./kind.ts";
import { ModelError } from "./model_error.ts";
import { arbitraryOfAnyKind } from "./testing.ts";

Deno.test("what is written is read back, and equal objects are written equally", () => {
  fc.assert(
    fc.property(arbitraryOfAnyKind, ({ kind, object }) => {
      const text = encodeObject(kind, object);
      const back = decodeObject(kind, objectId(object), text);
      assertEquals(back, object);
      assertEquals(encodeObject(kind, back), text);
      assertEquals(decodeObject(kind, objectId(object), new TextEncoder().encode(text)), object);
    }),
    { numRuns: 500 },
  );
});

/** What a newer writer may do: new fields in every object that has names of our choosing. */
function grown(json: unknown, inLabels = false): unknown {
  if (Array.isArray(json)) return json.map((each) => grown(each));
  if (typeof json !== "object" || json === null) return json;
  const fields = Object.entries(json).map(([key, value]) => [key, grown(value, key === "labels")]);
  return { ...Object.fromEntries(fields), ...(inLabels ? {} : { futureField: { of: ["v", 1] } }) };
}

Deno.test("an older reader reads what a newer writer wrote with more fields", () => {
  fc.assert(
    fc.property(arbitraryOfAnyKind, ({ kind, object }) => {
      const newer = JSON.stringify(grown(JSON.parse(encodeObject(kind, object))));
      assertEquals(decodeObject(kind, objectId(object), newer), object);
    }),
    { numRuns: 300 },
  );
});

Deno.test("an entry of a rule that only a newer writer knows lets nobody through", () => {
  const text = '{"v":1,"pods":{},"ingress":[{"peers":[{"galaxy":"m31"}],"ports":[{"qos":1}]}]}';
  const policy = decodeObject("networkpolicies", "a/b", text);
  assertEquals(policy.ingress, [{ peers: [], ports: [] }]);
  assertEquals(policy.egress, undefined);
});

Deno.test("a phase that only a newer writer knows reads as Unknown", () => {
  assertEquals(decodeObject("pods", "a/b", '{"v":1,"phase":"Dreaming"}').phase, "Unknown");
});

Deno.test("stored values are small: defaults and names are left out", () => {
  const pod = decodeObject("pods", "shop/web-0", '{"v":1,"node":"n1","addresses":["10.1.0.2"]}');
  assertEquals(encodeObject("pods", pod), '{"v":1,"node":"n1","addresses":["10.1.0.2"]}');
});

Deno.test("an error names path, value and what is wanted", async (t) => {
  const cases: [Kind, string, string][] = [
    ["pods", "{", 'pods/a/b: "{", JSON in UTF-8'],
    ["pods", "[]", "pods/a/b: [], an object"],
    ["pods", '{"v":2}', "pods/a/b: v: 2, format version 1"],
    ["pods", '{"v":1,"addresses":["10.1.0"]}', 'pods/a/b: addresses[0]: "10.1.0", an IPv4'],
    ["pods", '{"v":1,"ports":[{"name":"x"}]}', "pods/a/b: ports[0].port: missing, a whole number"],
    ["pods", '{"v":1,"labels":{"a":1}}', "pods/a/b: labels.a: 1, a string"],
    ["services", '{"v":1,"type":"Magic"}', '"Magic", one of ClusterIP'],
    ["endpointslices", '{"v":1,"family":5}', "family: 5, 4 or 6"],
    ["networkpolicies", '{"v":1}', "pods: missing, an object"],
    [
      "networkpolicies",
      '{"v":1,"pods":{},"egress":[{"peers":[{"block":"x"}]}]}',
      'egress[0].peers[0].block: "x", a prefix',
    ],
  ];
  for (const [kind, text, wanted] of cases) {
    await t.step(
      wanted,
      () => void assertThrows(() => decodeObject(kind, "a/b", text), ModelError, wanted),
    );
  }
});

Deno.test("no octets make the decoder fail otherwise than it says (seeded)", () => {
  const encoder = new TextEncoder();
  let refused = 0;
  fc.assert(
    fc.property(
      arbitraryOfAnyKind,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      ({ kind, object }, changes, cut) => {
        let bytes = encoder.encode(encodeObject(kind, object));
        for (const [at, octet] of changes) bytes[at % bytes.length] = octet;
        if (cut % 8 === 0) bytes = bytes.subarray(0, cut % bytes.length);
        try {
          decodeObject(kind, "a/b", bytes);
        } catch (error) {
          assert(error instanceof ModelError, String(error));
          refused++;
        }
      },
    ),
    { numRuns: 10_000, seed: 7 },
  );
  assert(refused > 1_000, `only ${refused} inputs were wrong`);
});
