import { assertEquals, assertThrows } from "@contiv/assert";
import fc from "fast-check";
import { AddressError } from "./error.ts";
import { IpAddress } from "./ip.ts";

const octets = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  // Runs of zeros, which the text form shortens.
  fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 }).map((each) =>
    Uint8Array.from(each)
  ),
);

Deno.test("an address is the same as octets, number and text", () => {
  fc.assert(fc.property(octets, (bytes) => {
    const address = IpAddress.from(bytes);
    assertEquals(address.family, bytes.length === 4 ? 4 : 6);
    assertEquals([...address.bytes], [...bytes]);
    const number = bytes.reduce((value, octet) => value << 8n | BigInt(octet), 0n);
    assertEquals(address.toBigInt(), number);
    for (
      const same of [
        IpAddress.parse(address.toString()),
        IpAddress.fromBigInt(address.family, number),
      ]
    ) {
      assertEquals(same, address);
      assertEquals([same.equals(address), [...same.bytes]], [true, [...bytes]]);
    }
  }));
});

Deno.test("addresses are equal only when all their octets are", () => {
  fc.assert(fc.property(octets, fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, at, change) => {
    const address = IpAddress.from(bytes);
    const other = bytes.slice();
    other[at % other.length]! ^= change;
    assertEquals(address.equals(IpAddress.from(other)), false);
    // What was given may change: the address does not.
    bytes.fill(7);
    assertEquals(address.equals(IpAddress.from(other)), false);
  }));
  assertEquals(IpAddress.parse("0.0.0.5").equals(IpAddress.parse("::5")), false);
});

Deno.test("texts are read as RFC 4291 says and written as RFC 5952 does", async (t) => {
  const cases: [string, string | undefined][] = [
    ["10.0.0.1", "10.0.0.1"],
    ["255.255.255.255", "255.255.255.255"],
    ["01.0.0.1", undefined],
    ["1.2.3", undefined],
    ["1.2.3.256", undefined],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["::", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["1:0:2:0:0:0:3:0", "1:0:2::3:0"],
    ["::ffff:10.0.0.1", "::ffff:10.0.0.1"],
    ["::FFFF:0a00:0001", "::ffff:10.0.0.1"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["1::2::3", undefined],
    ["1:2:3:4:5:6:7", undefined],
    ["1:2:3:4:5:6:7:8:9", undefined],
    ["fe80::1%eth0", undefined],
    ["", undefined],
  ];
  for (const [text, wanted] of cases) {
    await t.step(text || "nothing", () => {
      assertEquals(IpAddress.tryParse(text)?.toString(), wanted);
    });
  }
});

Deno.test("a family's ends are its ends", () => {
  const last = IpAddress.parse("255.255.255.255");
  assertEquals(IpAddress.parse("255.255.255.250").add(5n), last);
  assertThrows(() => last.add(1n), AddressError);
  assertThrows(() => IpAddress.parse("::").add(-1n), AddressError);
  assertThrows(() => IpAddress.from(new Uint8Array(5)), AddressError);
});
