import { assertEquals } from "@contiv/assert";
import { type Family, ip4Packet, ip6Packet, IpAddress, IpPrefix, IpProtocol } from "@contiv/net";
import { MacAddress } from "@contiv/net";
import fc from "fast-check";
import { MacipRules, Verdict } from "./tables/macip_rules.ts";
import { TestBench } from "./testing.ts";
import { type MacipRule, NONE } from "./types.ts";

const WHOLE = "ff:ff:ff:ff:ff:ff";
const POD_MAC = "02:00:00:00:00:0a";
const FOREIGN_MAC = "02:00:00:00:00:0b";

function rule(prefix: string, mac = POD_MAC, macMask = WHOLE, action = 1): MacipRule {
  return {
    action,
    mac: MacAddress.parse(mac),
    macMask: MacAddress.parse(macMask),
    prefix: IpPrefix.parse(prefix),
  };
}

function packet(source: string, destination: string): Uint8Array {
  const payload = new Uint8Array(16);
  return source.includes(":")
    ? ip6Packet({ source, destination, nextHeader: IpProtocol.UDP, payload })
    : ip4Packet({ source, destination, protocol: IpProtocol.UDP, payload });
}

Deno.test("a sender that is not listed is dropped and counted, in both families", () => {
  const bench = new TestBench();
  const left = bench.add("left", "02:fe:00:00:00:01", ["10.1.1.1/24", "fd00:1::1/64"]);
  const right = bench.add("right", "02:fe:00:00:00:02", ["10.1.2.1/24", "fd00:2::1/64"]);
  for (const address of ["10.1.2.2", "fd00:2::2"]) bench.neighbor(right, address, POD_MAC);
  const { index } = bench.plane.macip.addReplace(NONE, "", [
    rule("10.1.1.2/32"),
    rule("fd00:1::2/128"),
  ]);
  bench.plane.macip.apply(left, true, index);
  const cases = [
    [4, "10.1.1.2", "10.1.1.3", "10.1.2.2"],
    [6, "fd00:1::2", "fd00:1::3", "fd00:2::2"],
  ] as const;
  for (const [family, own, other, destination] of cases) {
    const receive = (mac: string, source: string): number =>
      bench.receiveIp(left, mac, packet(source, destination)).length;
    assertEquals([receive(POD_MAC, own), receive(FOREIGN_MAC, own), receive(POD_MAC, other)], [
      1,
      0,
      0,
    ]);
    assertEquals(bench.count(`ip${family}-inacl: input ACL hits`), 1);
    assertEquals(bench.count(`ip${family}-inacl: input ACL misses`), 2);
  }
  assertEquals(bench.plane.interface(left)?.counters.drops, 4);
  bench.plane.macip.addReplace(index, "", [rule("10.1.1.2/32", POD_MAC, WHOLE, 0)]);
  assertEquals(bench.receiveIp(left, POD_MAC, packet("10.1.1.2", "10.1.2.2")), []);
  assertEquals(bench.count("ip4-input: input ACL session deny drops"), 1);
});

Deno.test("a list does not hold for the next interface of an index, nor a list for the next list's", () => {
  const bench = new TestBench();
  const { macip } = bench.plane;
  const left = bench.add("left", "02:fe:00:00:00:01", []);
  const { index } = macip.addReplace(NONE, "one", [rule("10.1.1.2/32")]);
  macip.apply(left, true, index);
  bench.plane.deleteInterface(left);
  assertEquals(bench.add("next", "02:fe:00:00:00:01", []), left);
  assertEquals([...macip.applied(NONE)], []);
  macip.apply(left, true, index);
  macip.remove(index);
  assertEquals(macip.addReplace(NONE, "two", []).index, index);
  assertEquals([...macip.applied(NONE)], []);
});

/** Whether a rule is for a sender, bit by bit. */
function isFor({ mac, macMask, prefix }: MacipRule, sender: MacAddress, ip: IpAddress): boolean {
  return macMask.bytes.every((mask, i) => ((mac.bytes[i]! ^ sender.bytes[i]!) & mask) === 0) &&
    String(IpPrefix.of(ip, prefix.length).network()) === String(prefix.network());
}

for (const family of [4, 6] as Family[]) {
  Deno.test(`IPv${family}: a sender passes if and only if a rule is for it`, () => {
    const octets = family === 4 ? 4 : 16;
    // Few values, so that rules and senders meet.
    const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
      fc.array(fc.constantFrom(0, 1, 0x80, 0xff), { minLength: length, maxLength: length })
        .map((each) => Uint8Array.from(each));
    const macs = bytes(6).map((each) => MacAddress.from(each));
    const addresses = bytes(octets).map((each) => IpAddress.from(each));
    const rules = fc.record({
      action: fc.constant(1),
      mac: macs,
      macMask: fc.oneof(fc.constant(MacAddress.parse(WHOLE)), macs),
      prefix: fc.tuple(addresses, fc.nat(8 * octets)).map(([address, length]) =>
        IpPrefix.of(address, length)
      ),
    });
    fc.assert(fc.property(
      fc.array(rules, { maxLength: 6 }),
      macs,
      addresses,
      fc.option(fc.nat(5)),
      (list, mac, ip, known) => {
        // Half of the senders are made of a rule.
        const from = known === null ? undefined : list[known];
        const [sender, source] = [from?.mac ?? mac, from?.prefix.address ?? ip];
        const frame = new Uint8Array([0, ...sender.bytes, ...source.bytes]);
        const expected = list.some((each) => isFor(each, sender, source));
        const verdict = MacipRules.of(family, list).verdict(frame, 1, 7);
        assertEquals(verdict, expected ? Verdict.PERMIT : Verdict.MISS);
      },
    ));
  });
}
