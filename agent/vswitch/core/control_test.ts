import { assertEquals } from "@contiv/assert";
import { IpAddress, IpPrefix, MacAddress } from "@contiv/net";
import { Retval } from "./retval.ts";
import { routeChange, TestBench } from "./testing.ts";
import { NONE } from "./types.ts";

const MAC = "02:fe:00:00:00:01";
const prefix = (text: string): IpPrefix => IpPrefix.parse(text);

function dump(bench: TestBench, family: 4 | 6, source = 0): string[] {
  return [...bench.plane.routes(0, family, source) ?? []].map((route) => {
    const paths = route.paths.map((path) =>
      `${path.type}@${path.swIfIndex === NONE ? "-" : path.swIfIndex}:${path.nextHop ?? "-"}`
    );
    return `${route.prefix} ${route.src} ${paths.join(" ")}`;
  });
}

const EMPTY_4 = [
  "0.0.0.0/0 20 2@-:-",
  "224.0.0.0/4 1 2@-:-",
  "240.0.0.0/4 1 2@-:-",
  "0.0.0.0/32 20 2@-:-",
  "255.255.255.255/32 20 2@-:-",
];

Deno.test("a new table holds VPP's special routes", () => {
  const bench = new TestBench();
  assertEquals(dump(bench, 4).sort(), [...EMPTY_4].sort());
  assertEquals(dump(bench, 6), ["::/0 20 2@-:-", "fe80::/10 1 0@-:-"]);
});

Deno.test("an address makes its routes while the interface is up, and takes them away", () => {
  const bench = new TestBench();
  const at = bench.add("mem0", MAC, ["10.1.1.1/24", "fd00::1/64"]);
  const own = [
    "10.1.1.0/24 4 0@1:-",
    "10.1.1.1/32 4 1@1:10.1.1.1",
    "10.1.1.0/32 4 2@-:-",
    "10.1.1.255/32 4 2@-:-",
  ];
  const others = (): string[] => dump(bench, 4).filter((line) => !EMPTY_4.includes(line));
  assertEquals(others().sort(), [...own].sort());
  assertEquals(dump(bench, 6, 4), ["fd00::/64 4 0@1:-", "fd00::1/128 4 1@1:fd00::1"]);
  bench.plane.setFlags(at, false);
  assertEquals(others(), []);
  bench.plane.setFlags(at, true);
  assertEquals(others().sort(), [...own].sort());
  bench.plane.addDelAddress(at, false, true, undefined);
  assertEquals(others(), []);
  assertEquals(bench.plane.interface(at)?.ip6Enabled, false);
});

Deno.test("addresses of one subnet share its routes; a /31 has a peer and no ends", () => {
  const bench = new TestBench();
  const at = bench.add("mem0", MAC, ["10.1.1.1/24", "10.1.1.2/24", "10.2.0.0/31"]);
  bench.plane.addDelAddress(at, false, false, prefix("10.1.1.1/24"));
  const lines = dump(bench, 4, 4);
  assertEquals(lines.includes("10.1.1.0/24 4 0@1:-"), true);
  assertEquals(lines.includes("10.1.1.1/32 4 1@1:10.1.1.1"), false);
  assertEquals(lines.includes("10.2.0.1/32 4 0@1:10.2.0.1"), true);
});

Deno.test("operations answer with VPP's error codes", () => {
  const bench = new TestBench();
  const a = bench.add("mem0", MAC, ["10.1.1.1/24", "fd00::1/64"]);
  const b = bench.add("mem1", MAC, []);
  const { plane } = bench;
  assertEquals(plane.setTag(a, ""), Retval.INVALID_VALUE);
  assertEquals(plane.addDelAddress(0, true, false, prefix("10.9.0.1/24")), Retval.UNSUPPORTED);
  assertEquals(plane.setHwMtu(0, 1500), Retval.FEATURE_DISABLED);
  const add = (at: number, text: string): number =>
    plane.addDelAddress(at, true, false, prefix(text));
  assertEquals(add(99, "10.9.0.1/24"), Retval.INVALID_SW_IF_INDEX);
  assertEquals(add(b, "10.1.1.9/24"), Retval.ADDRESS_IN_USE);
  assertEquals(add(a, "10.1.1.1/24"), Retval.ADDRESS_IN_USE);
  assertEquals(add(b, "fd00::9/64"), Retval.DUPLICATE_IF_ADDRESS);
  assertEquals(add(b, "fe80::1/64"), Retval.ADDRESS_LENGTH_MISMATCH);
  assertEquals(
    plane.addDelAddress(b, false, false, prefix("10.5.0.1/24")),
    Retval.ADDRESS_NOT_FOUND_FOR_INTERFACE,
  );
  assertEquals(plane.setUnnumbered(99, b, true), Retval.INVALID_SW_IF_INDEX_2);
  assertEquals(plane.ip6EnableDisable(b, false), Retval.IP6_NOT_ENABLED);
  assertEquals(plane.setTable(b, 4, 7), Retval.NO_SUCH_FIB);
  const nextHop = IpAddress.parse("10.1.1.2");
  assertEquals(bench.route("10.9.0.0/16", []).retval, Retval.NO_PATHS_IN_ROUTE);
  assertEquals(
    bench.route("10.9.0.0/16", [{ nextHop }], { tableId: 5 }).retval,
    Retval.NO_SUCH_FIB,
  );
  assertEquals(
    bench.route("10.9.0.0/16", [{ nextHop, swIfIndex: 99 }]).retval,
    Retval.NO_MATCHING_INTERFACE,
  );
  const key = {
    swIfIndex: a,
    address: nextHop,
    mac: MacAddress.parse(MAC),
    isStatic: true,
    noFibEntry: false,
  };
  assertEquals(plane.addDelNeighbor(key, false).retval, Retval.NO_SUCH_ENTRY);
  assertEquals(plane.deleteInterface(0), Retval.INVALID_SW_IF_INDEX);
});

Deno.test("paths are replaced, added and removed one by one", () => {
  const bench = new TestBench();
  const at = bench.add("mem0", MAC, ["10.1.1.1/24"]);
  const path = (host: number) => ({ swIfIndex: at, nextHop: IpAddress.parse(`10.1.1.${host}`) });
  const api = (): string[] => dump(bench, 4, 8);
  bench.route("10.9.0.0/16", [path(2), path(3)]);
  bench.route("10.9.0.0/16", [path(4)], { isMultipath: true });
  assertEquals(api(), ["10.9.0.0/16 8 0@1:10.1.1.2 0@1:10.1.1.3 0@1:10.1.1.4"]);
  bench.route("10.9.0.0/16", [path(2), path(4)], { isAdd: false, isMultipath: true });
  assertEquals(api(), ["10.9.0.0/16 8 0@1:10.1.1.3"]);
  bench.route("10.9.0.0/16", [path(5)]);
  assertEquals(api(), ["10.9.0.0/16 8 0@1:10.1.1.5"]);
  bench.route("10.9.0.0/16", [path(5)], { isAdd: false, isMultipath: true });
  assertEquals(api(), []);
});

Deno.test("the better source of a prefix wins, and the other one takes over", () => {
  const bench = new TestBench();
  const at = bench.add("mem0", MAC, ["10.1.1.1/24"]);
  const nextHop = IpAddress.parse("10.1.1.9");
  bench.route("10.1.1.1/32", [{ swIfIndex: at, nextHop }]);
  const best = (): number | undefined =>
    bench.plane.lookupRoute(0, prefix("10.1.1.1/32"), true)?.src;
  assertEquals(best(), 4);
  bench.plane.addDelAddress(at, false, false, prefix("10.1.1.1/24"));
  assertEquals(best(), 8);
});

Deno.test("replacing a table removes the API's routes that were not added again", () => {
  const bench = new TestBench();
  const at = bench.add("mem0", MAC, ["10.1.1.1/24"]);
  const path = [{ swIfIndex: at, nextHop: IpAddress.parse("10.1.1.2") }];
  bench.route("10.8.0.0/16", path);
  bench.route("10.9.0.0/16", path);
  bench.plane.tableReplaceBegin(4, 0);
  bench.route("10.9.0.0/16", path);
  bench.plane.tableReplaceEnd(4, 0);
  assertEquals(dump(bench, 4, 8), ["10.9.0.0/16 8 0@1:10.1.1.2"]);
  bench.plane.tableFlush(4, 0);
  assertEquals(dump(bench, 4, 8), []);
});

Deno.test("tables come and go, table 0 stays", () => {
  const bench = new TestBench();
  bench.plane.addDelTable(true, 4, 7, "blue");
  bench.plane.addDelRoute(routeChange("10.0.0.0/8", [{ type: 2 }], { tableId: 7 }));
  assertEquals([...bench.plane.tables()].map(({ name }) => name), [
    "ipv4-VRF:0",
    "ipv6-VRF:0",
    "blue",
  ]);
  bench.plane.addDelTable(false, 4, 7, "");
  bench.plane.addDelTable(false, 4, 0, "");
  assertEquals([...bench.plane.tables()].length, 2);
  assertEquals(bench.plane.routes(7, 4), undefined);
});

Deno.test("interface events tell of up, down and deletion", () => {
  const bench = new TestBench();
  const at = bench.add("mem0", MAC, []);
  bench.plane.setLinkUp(at, false);
  bench.plane.deleteInterface(at);
  const told = bench.events.flatMap((event) =>
    event.kind === "interface" ? [[event.adminUp, event.linkUp, event.deleted]] : []
  );
  assertEquals(told, [
    [true, true, false],
    [true, false, false],
    [false, false, false],
    [false, false, true],
  ]);
});

Deno.test("thousands of routes leave nothing behind", () => {
  const bench = new TestBench();
  const at = bench.add("mem0", MAC, ["10.1.1.1/24"]);
  const before = dump(bench, 4).length;
  const nextHop = IpAddress.parse("10.1.1.2");
  const hosts = Array.from({ length: 5000 }, (_, i) => `10.64.${i >> 8}.${i & 255}/32`);
  for (const host of hosts) bench.route(host, [{ swIfIndex: at, nextHop }, { nextHop }]);
  assertEquals(dump(bench, 4).length, before + 5000 + 1);
  for (const host of hosts) bench.route(host, [], { isAdd: false });
  assertEquals(dump(bench, 4).length, before);
});
