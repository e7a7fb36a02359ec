import { assertEquals, assertThrows } from "@contiv/assert";
import { IpAddress, IpPrefix } from "@contiv/net";
import fc from "fast-check";
import { IpamError } from "./error.ts";
import { Ipam } from "./ipam.ts";
import { NodePrefix } from "./node_prefix.ts";

const ip = (text: string): IpAddress => IpAddress.parse(text);
const ipamOf = (...prefixes: string[]): Ipam =>
  new Ipam(prefixes.map((text) => NodePrefix.of(IpPrefix.parse(text))));
const dual = (): Ipam => ipamOf("fd00::100/120", "10.1.1.0/29");
const texts = (addresses: readonly IpAddress[]): string[] => addresses.map(String);

Deno.test("an attachment gets one address of each family, IPv4 first, and keeps them", () => {
  const ipam = dual();
  const addresses = ipam.allocate("pod/a/eth0");
  assertEquals(texts(addresses), ["10.1.1.2", "fd00::102"]);
  assertEquals(texts(ipam.allocate("pod/a/eth0")), ["10.1.1.2", "fd00::102"]);
  assertEquals(texts(ipam.allocate("pod/b/eth0")), ["10.1.1.3", "fd00::103"]);
  assertEquals(ipam.size, 2);
});

Deno.test("when one family is exhausted, none is given", () => {
  const ipam = dual();
  for (const key of ["a", "b", "c", "d"]) ipam.allocate(key);
  for (let i = 0; i < 300; i++) assertThrows(() => ipam.allocate("e"), IpamError, "10.1.1.0/29");
  assertEquals(ipam.get("e"), undefined);
  ipam.release("b");
  assertEquals(texts(ipam.allocate("e"))[0], "10.1.1.3");
});

Deno.test("releasing twice is releasing once", () => {
  const ipam = dual();
  ipam.allocate("a");
  assertEquals(texts(ipam.release("a")), ["10.1.1.2", "fd00::102"]);
  assertEquals(ipam.release("a"), []);
  assertEquals(ipam.list(), []);
});

Deno.test("the node's gateways and service loopbacks are told by family", () => {
  const ipam = dual();
  assertEquals(ipam.layout(4)?.gateway.toString(), "10.1.1.1");
  assertEquals(ipam.layout(6)?.serviceLoopback.toString(), "fd00::1fe");
  assertEquals(ipamOf("10.1.1.0/24").layout(6), undefined);
});

Deno.test("there is one prefix per family", () => {
  assertThrows(() => new Ipam([]), IpamError);
  assertThrows(() => ipamOf("10.1.1.0/24", "10.1.2.0/24"), IpamError);
});

Deno.test("a rebuild takes over what fits and reports what does not", () => {
  const ipam = dual();
  ipam.allocate("before");
  const problems = ipam.rebuild([
    { key: "a", addresses: [ip("10.1.1.2"), ip("fd00::102")] },
    { key: "outside", addresses: [ip("10.9.9.9"), ip("fd00::103")] },
    { key: "doubled", addresses: [ip("10.1.1.4"), ip("fd00::102")] },
    { key: "itself", addresses: [ip("10.1.1.5"), ip("10.1.1.5")] },
    { key: "a", addresses: [ip("10.1.1.3")] },
    { key: "gateway", addresses: [ip("10.1.1.1")] },
  ]);
  assertEquals(
    problems.map((p) => `${p.key} ${p.address} ${p.problem} ${p.holder ?? "-"}`),
    [
      "outside 10.9.9.9 outside -",
      "doubled fd00::102 doubled a",
      "itself 10.1.1.5 doubled itself",
      "a 10.1.1.3 doubled a",
      "gateway 10.1.1.1 outside -",
    ],
  );
  assertEquals(ipam.list().map((allocation) => allocation.key), ["a", "outside", "gateway"]);
  assertEquals(texts(ipam.allocate("outside")), ["10.9.9.9", "fd00::103"]);
  assertEquals(texts(ipam.allocate("new")), ["10.1.1.3", "fd00::104"]);
  assertEquals(texts(ipam.release("outside")), ["10.9.9.9", "fd00::103"]);
});

Deno.test("no sequence of calls doubles or leaks an address", () => {
  const key = fc.integer({ min: 0, max: 9 }).map((n) => `pod${n}`);
  const step = fc.tuple(fc.constantFrom("allocate", "release", "rebuild"), key);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const ipam = dual();
      const model = new Map<string, string>();
      for (const [call, key] of steps) {
        if (call === "release") {
          assertEquals(texts(ipam.release(key)).join(" "), model.get(key) ?? "");
          model.delete(key);
        } else if (call === "rebuild") {
          assertEquals(ipam.rebuild(ipam.list()), []);
        } else if (model.has(key) || model.size < 4) {
          const addresses = texts(ipam.allocate(key)).join(" ");
          assertEquals(addresses, model.get(key) ?? addresses);
          model.set(key, addresses);
        } else {
          assertThrows(() => ipam.allocate(key), IpamError);
        }
        const all = [...model.values()].flatMap((text) => text.split(" "));
        assertEquals(new Set(all).size, all.length);
        assertEquals(ipam.size, model.size);
      }
    }),
    { seed: 7, numRuns: 300 },
  );
});
