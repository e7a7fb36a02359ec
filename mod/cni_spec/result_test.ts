import { assert, assertEquals, assertThrows } from "@contiv/assert";
import fc from "fast-check";
import { CniError } from "./cni_error.ts";
import { convertResult } from "./convert_result.ts";
import { mergeResult } from "./merge_result.ts";
import { parsePrevResult } from "./parse_result.ts";
import type { CniResult } from "./result.ts";
import { CNI_VERSIONS } from "./versions.ts";

const RESULT: CniResult = {
  interfaces: [{ name: "eth0", mac: "02:00:00:00:00:01", mtu: 1450, sandbox: "/run/netns/c1" }],
  ips: [
    { address: "10.1.0.2/32", gateway: "10.1.0.1", interface: 0 },
    { address: "fd00::2/128", gateway: "fd00::1", interface: 0 },
  ],
  routes: [{ dst: "0.0.0.0/0", gw: "10.1.0.1", mtu: 1450, scope: 0 }, { dst: "::/0" }],
  dns: { nameservers: ["10.96.0.10"] },
};

Deno.test("a result has the form of each version", () => {
  const v4 = '{"address":"10.1.0.2/32","gateway":"10.1.0.1","interface":0}';
  const v6 = '{"address":"fd00::2/128","gateway":"fd00::1","interface":0}';
  const old = '"interfaces":[{"name":"eth0","mac":"02:00:00:00:00:01","sandbox":"/run/netns/c1"}],';
  const oldRoutes = '"routes":[{"dst":"0.0.0.0/0","gw":"10.1.0.1"},{"dst":"::/0"}],';
  const dns = '"dns":{"nameservers":["10.96.0.10"]}}';
  const families = `"ips":[${v4.replace("{", '{"version":"4",')},` +
    `${v6.replace("{", '{"version":"6",')}],`;
  const golden: Record<string, string> = {
    "0.3.1": `{"cniVersion":"0.3.1",${old}${families}${oldRoutes}${dns}`,
    "0.4.0": `{"cniVersion":"0.4.0",${old}${families}${oldRoutes}${dns}`,
    "1.0.0": `{"cniVersion":"1.0.0",${old}"ips":[${v4},${v6}],${oldRoutes}${dns}`,
    "1.1.0": '{"cniVersion":"1.1.0","interfaces":[{"name":"eth0","mac":"02:00:00:00:00:01",' +
      `"mtu":1450,"sandbox":"/run/netns/c1"}],"ips":[${v4},${v6}],` +
      '"routes":[{"dst":"0.0.0.0/0","gw":"10.1.0.1","mtu":1450,"scope":0},{"dst":"::/0"}],' + dns,
  };
  for (const version of CNI_VERSIONS) {
    assertEquals(JSON.stringify(convertResult(RESULT, version)), golden[version]);
  }
});

Deno.test("a result survives the newest version, and the others but for what they lack", () => {
  const back = (version: typeof CNI_VERSIONS[number]): CniResult | undefined =>
    parsePrevResult({ prevResult: convertResult(RESULT, version) });
  assertEquals(back("1.1.0"), RESULT);
  for (const version of CNI_VERSIONS) assertEquals(back(version)?.ips, RESULT.ips);
});

Deno.test("results merge with the earlier ones first", () => {
  const merged = mergeResult(RESULT, { ...RESULT, dns: { domain: "x" } });
  assertEquals(merged.interfaces.length, 2);
  assertEquals(merged.ips.map((ip) => ip.interface), [0, 0, 1, 1]);
  assertEquals(merged.dns, RESULT.dns ?? {});
  assertEquals(mergeResult(undefined, RESULT), RESULT);
});

Deno.test("a prevResult with wrong values is refused with the key", () => {
  const cases: Record<string, unknown> = {
    "prevResult": 5,
    "prevResult.ips": { ips: {} },
    "prevResult.ips.address": { ips: [{ address: "10.0.0.1" }] },
    "prevResult.ips.gateway": { ips: [{ address: "10.0.0.1/8", gateway: "x" }] },
    "prevResult.ips.interface": { ips: [{ address: "10.0.0.1/8", interface: 0 }] },
    "prevResult.interfaces.name": { interfaces: [{}] },
    "prevResult.interfaces.mtu": { interfaces: [{ name: "a", mtu: -1 }] },
    "prevResult.routes.dst": { routes: [{ dst: 1 }] },
    "prevResult.dns.search": { dns: { search: [1] } },
  };
  for (const [key, prevResult] of Object.entries(cases)) {
    assertThrows(() => parsePrevResult({ prevResult }), CniError, `${key} `);
  }
  assertEquals(parsePrevResult({ prevResult: null }), undefined);
  assertEquals(parsePrevResult({ prevResult: { interfaces: null } })?.interfaces, []);
});

Deno.test("any JSON as prevResult is read or refused", () => {
  const entry = fc.record({
    name: fc.oneof(fc.string(), fc.jsonValue()),
    address: fc.oneof(fc.constant("10.0.0.1/8"), fc.jsonValue()),
    dst: fc.oneof(fc.constant("::/0"), fc.jsonValue()),
    interface: fc.oneof(fc.nat(2), fc.jsonValue()),
  }, { requiredKeys: [] });
  const list = fc.oneof(fc.array(entry, { maxLength: 3 }), fc.jsonValue());
  const results = fc.record({ interfaces: list, ips: list, routes: list, dns: fc.jsonValue() }, {
    requiredKeys: [],
  });
  let read = 0;
  fc.assert(
    fc.property(fc.oneof(results, fc.jsonValue()), (prevResult) => {
      try {
        const result = parsePrevResult({ prevResult });
        if (result === undefined) return;
        read++;
        // What was read once reads again as the same.
        const again = parsePrevResult({ prevResult: convertResult(result, "1.1.0") });
        assertEquals(JSON.stringify(again), JSON.stringify(result));
      } catch (error) {
        if (!(error instanceof CniError)) throw error;
      }
    }),
    { numRuns: 10_000, seed: 4 },
  );
  assert(read > 500, `${read}`);
});
