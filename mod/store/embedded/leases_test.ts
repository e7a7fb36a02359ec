import { assertEquals, assertThrows } from "@contiv/assert";
import { Leases } from "./leases.ts";
import { StatusError } from "./status_error.ts";
import { commit, openKeyspace, put, range, show, type TestKeyspace } from "./testing.ts";

interface TestLeases extends TestKeyspace {
  readonly leases: Leases;
  readonly clock: { now: number };
}

function open(): TestLeases {
  const opened = openKeyspace({ leases: [1n, 2n] });
  const clock = { now: 0 };
  return { ...opened, clock, leases: new Leases(opened.tables, () => clock.now) };
}

Deno.test("a lease lasts its time from its last renewal", () => {
  using opened = open();
  const { keyspace, leases, clock } = opened;
  assertEquals(commit(keyspace, () => leases.grant(1n, 10)), 10);
  clock.now = 9_000;
  assertEquals(leases.timeToLive(1n), { granted: 10, left: 1 });
  assertEquals(leases.keepAlive(1n), 10);
  clock.now = 18_999;
  assertEquals(leases.expired(), []);
  clock.now = 19_000;
  assertEquals(leases.expired(), [1n]);
  assertEquals(leases.keepAlive(1n), 0);
});

Deno.test("a lease that ends takes its keys along in one revision", () => {
  using opened = open();
  const { keyspace, leases } = opened;
  commit(keyspace, () => leases.grant(1n, 10));
  for (const key of ["a", "b"]) {
    commit(keyspace, () => keyspace.put(put(key, "x", { lease: 1n })));
  }
  // Put again without a lease, a key does not die with it.
  commit(keyspace, () => keyspace.put(put("b", "y")));
  commit(keyspace, () => keyspace.put(put("c", "x", { lease: 1n })));
  commit(keyspace, () => leases.revoke(1n, keyspace));
  assertEquals(keyspace.range(range("a", "\0")).kvs?.map(show), ["b=y@4"]);
  assertEquals(keyspace.revision, 6);
  assertEquals(leases.timeToLive(1n), undefined);
});

Deno.test("a write that is undone gives no lease and ends none", () => {
  using opened = open();
  const { keyspace, leases } = opened;
  commit(keyspace, () => leases.grant(1n, 10));
  keyspace.begin();
  leases.grant(2n, 10);
  leases.revoke(1n, keyspace);
  keyspace.rollback();
  leases.restore();
  assertEquals(leases.ids(), [1n]);
});

Deno.test("leases are there with their whole time after a start", () => {
  using opened = open();
  const { keyspace, leases, tables, clock } = opened;
  commit(keyspace, () => leases.grant(0x7fff_ffff_ffff_ffffn, 10));
  clock.now = 5_000;
  const again = new Leases(tables, () => clock.now);
  assertEquals(again.timeToLive(0x7fff_ffff_ffff_ffffn), { granted: 10, left: 10 });
});

Deno.test("leases that cannot be are refused in etcd's words", async (t) => {
  using opened = open();
  const { keyspace, leases } = opened;
  commit(keyspace, () => leases.grant(1n, 10));
  const cases: Record<string, readonly [() => unknown, string]> = {
    "the same again": [() => leases.grant(1n, 10), "lease already exists"],
    "for ever": [() => leases.grant(2n, 9_000_000_001), "too large lease TTL"],
    "an end of none": [() => leases.revoke(2n, keyspace), "requested lease not found"],
  };
  for (const [name, [call, message]] of Object.entries(cases)) {
    await t.step(name, () => {
      assertThrows(() => commit(keyspace, call), StatusError, message);
    });
  }
});
