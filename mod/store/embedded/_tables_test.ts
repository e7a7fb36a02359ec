import { assert, assertEquals } from "@contiv/assert";
import fc from "fast-check";
import { DataFile } from "./data_file.ts";
import { DataFileError } from "./data_file_error.ts";
import { commit, ENDLESS, openKeyspace, put, range } from "./testing.ts";
import { Keyspace } from "./keyspace.ts";
import { Tables } from "./_tables.ts";
import { random } from "../../../tests/support/random.ts";
import { KeyValue } from "./wire/messages.ts";

const octets = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const keyValues: fc.Arbitrary<KeyValue> = fc.record({
  key: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  createRevision: fc.maxSafeNat(),
  modRevision: fc.maxSafeNat(),
  version: fc.maxSafeNat(),
  value: octets(200),
  lease: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
}, { noNullPrototype: true });

Deno.test("10,000 keys are read from the file, and from the wire, as they were written", () => {
  using opened = openKeyspace();
  const { tables } = opened;
  tables.begin();
  fc.assert(
    fc.property(keyValues, (kv) => {
      tables.put(kv);
      const stored = tables.get(kv.key);
      assertEquals(stored && KeyValue.encode(stored), KeyValue.encode(kv));
      assertEquals(KeyValue.encode(KeyValue.decode(KeyValue.encode(kv))), KeyValue.encode(kv));
      tables.delete(kv.key);
      assertEquals(tables.get(kv.key), undefined);
    }),
    { numRuns: 10_000, seed: 3 },
  );
  tables.commit();
});

Deno.test("a file with any of its octets changed is opened or refused, and read without a crash", () => {
  const directory = Deno.makeTempDirSync({ prefix: "contiv-damage-" });
  try {
    const path = `${directory}/store.db`;
    {
      using opened = openKeyspace({ path });
      const { keyspace } = opened;
      commit(keyspace, () => {
        for (let i = 0; i < 300; i++) keyspace.put(put(`k${i % 50}`, "x".repeat(i)));
      });
    }
    const whole = Deno.readFileSync(path);
    const next = random(5);
    let opened = 0;
    for (let round = 0; round < 150; round++) {
      const damaged = whole.slice();
      for (let i = 0; i < 1 + 20 * next(); i++) {
        damaged[Math.floor(next() * damaged.length)] = Math.floor(256 * next());
      }
      if (next() < 0.2) damaged.copyWithin(4096, Math.floor(next() * damaged.length));
      Deno.writeFileSync(path, damaged);
      if (canBeRead(path)) opened++;
    }
    assert(opened > 0 && opened < 150, `${opened} of 150 were opened`);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

/** Whether a store can be started on a file; if not, for a reason that it gives. */
function canBeRead(path: string): boolean {
  try {
    using file = DataFile.open(path, 1 << 30);
    const keyspace = new Keyspace(new Tables(file), ENDLESS, () => true);
    keyspace.changesFrom(1, 10, 1e6);
    commit(keyspace, () => keyspace.put(put("k", "after")));
    assertEquals(keyspace.range(range("k")).kvs?.length, 1);
    return true;
  } catch (error) {
    if (!(error instanceof DataFileError)) {
      // SQLite's own word for what its check at the start does not find.
      assert(error instanceof Error && "errcode" in error, String(error));
    }
    return false;
  }
}
