import { assertEquals, assertThrows } from "@contiv/assert";
import { IpAddress, IpPrefix } from "@contiv/net";
import { AddressPool } from "./address_pool.ts";
import { IpamError } from "./error.ts";
import { NodePrefix } from "./node_prefix.ts";

const ip = (text: string): IpAddress => IpAddress.parse(text);
const poolOf = (prefix: string): AddressPool =>
  new AddressPool(NodePrefix.of(IpPrefix.parse(prefix)));
const take = (pool: AddressPool): string => pool.allocate().toString();

Deno.test("a released address is reused last", () => {
  const pool = poolOf("1.2.128.8/29");
  assertEquals([take(pool), take(pool)], ["1.2.128.10", "1.2.128.11"]);
  pool.release(ip("1.2.128.11"));
  assertEquals([take(pool), take(pool)], ["1.2.128.12", "1.2.128.13"]);
  assertEquals(take(pool), "1.2.128.11");
  pool.release(ip("1.2.128.12"));
  pool.release(ip("1.2.128.10"));
  assertEquals([take(pool), take(pool)], ["1.2.128.12", "1.2.128.10"]);
});

Deno.test("exhaustion names the prefix and its size", async (t) => {
  for (const [prefix, size] of [["1.2.128.8/29", 4], ["fe10:f00d::500/120", 252]] as const) {
    await t.step(prefix, () => {
      const pool = poolOf(prefix);
      const given = new Set(Array.from({ length: size }, () => take(pool)));
      assertEquals(given.size, size);
      const error = assertThrows(() => pool.allocate(), IpamError);
      assertEquals([error.code, error.retryable], ["EXHAUSTED", true]);
      assertEquals(error.message.includes(`${prefix}: all ${size} are in use`), true);
    });
  }
});

Deno.test("a reserved address is given to nobody else", () => {
  const pool = poolOf("1.2.128.8/29");
  pool.reserve(ip("1.2.128.11"));
  assertEquals(assertThrows(() => pool.reserve(ip("1.2.128.11")), IpamError).code, "TAKEN");
  assertEquals(assertThrows(() => pool.reserve(ip("1.2.128.9")), IpamError).code, "OUTSIDE");
  assertEquals(assertThrows(() => pool.reserve(ip("1.2.128.14")), IpamError).code, "OUTSIDE");
  assertEquals(assertThrows(() => pool.reserve(ip("::1")), IpamError).code, "OUTSIDE");
  assertEquals([take(pool), take(pool), take(pool)], ["1.2.128.12", "1.2.128.13", "1.2.128.10"]);
  assertThrows(() => pool.allocate(), IpamError);
});

Deno.test("releasing what is not handed out changes nothing", () => {
  const pool = poolOf("1.2.128.8/29");
  const address = pool.allocate();
  for (const text of ["1.2.128.12", "1.2.128.9", "9.9.9.9", "::1"]) pool.release(ip(text));
  pool.release(address);
  pool.release(address);
  assertEquals(pool.used, 0);
  const given = new Set(Array.from({ length: 4 }, () => take(pool)));
  assertEquals(given.size, 4);
});

Deno.test("a /64 is walked without being listed, and does not remember for ever", () => {
  const pool = poolOf("fd00:0:0:5::/64");
  pool.reserve(ip("fd00:0:0:5:8000::7"));
  assertEquals(take(pool), ip("fd00:0:0:5:8000::8").toString());
  pool.reserve(ip("fd00:0:0:5:ffff:ffff:ffff:fffd"));
  const first = pool.allocate();
  pool.release(first);
  const seen = new Set<string>();
  for (let i = 0; i < 70_000; i++) {
    const address = pool.allocate();
    seen.add(address.toString());
    pool.release(address);
  }
  assertEquals(seen.size > 65_000 && seen.size < 66_000, true);
  assertEquals(seen.has(first.toString()), true);
});
