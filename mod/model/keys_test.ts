import { assertEquals } from "@contiv/assert";
import fc from "fast-check";
import { objectId } from "./cluster_object.ts";
import { objectKey, parseStateKey, STATE_PREFIX, syncedKey } from "./keys.ts";
import { KINDS } from "./kind.ts";
import { arbitraryOfAnyKind } from "./testing.ts";

Deno.test("a key tells kind and names", () => {
  fc.assert(fc.property(arbitraryOfAnyKind, ({ kind, object }) => {
    const id = objectId(object);
    assertEquals(parseStateKey(objectKey(kind, id)), { type: "object", kind, id });
  }));
  for (const kind of KINDS) {
    assertEquals(parseStateKey(syncedKey(kind)), { type: "synced", kind });
  }
});

Deno.test("other keys are nobody's", () => {
  const others = [
    "",
    "pods",
    "pods/",
    "pods/a",
    "pods/a/",
    "pods/a/b/c",
    "nodes/a/b",
    "future/a/b",
  ];
  for (const key of [...others.map((each) => STATE_PREFIX + each), "/registry/pods/a/b"]) {
    assertEquals(parseStateKey(key), undefined, key);
  }
});
