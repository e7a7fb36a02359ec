import { assert, assertEquals, assertThrows } from "@contiv/assert";
import { IpAddress, IpPrefix, MacAddress } from "@contiv/net";
import fc from "fast-check";
import { nlmsghdr } from "../constants/structs.ts";
import { addressCreation, decodeAddress } from "./address.ts";
import { NetlinkError } from "./error.ts";
import { decodeOutcome } from "./ext_ack.ts";
import { decodeLink, linkChange, linkCreation, linkQuery } from "./link.ts";
import { decodeMessages } from "./message.ts";
import { decodeNeighbour, neighbourCreation } from "./neighbour.ts";
import { NetlinkRequest } from "./request.ts";
import { decodeRoute, routeCreation } from "./route.ts";
import { decodeRule, ruleCreation } from "./rule.ts";

/** What a kernel would see after the header. */
function payloadOf(request: NetlinkRequest): Uint8Array {
  const [message] = decodeMessages(request.encode(7));
  assert(message !== undefined);
  assertEquals([message.type, message.flags, message.sequence], [request.type, request.flags, 7]);
  return message.payload;
}

const index = fc.integer({ min: 1, max: 0x7fffffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const mac = fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => MacAddress.from(bytes));
const ip4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => IpAddress.from(bytes));
const ip6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => IpAddress.from(bytes));
const ip = fc.oneof(ip4, ip6);
const prefix = fc.tuple(ip, fc.integer({ min: 1, max: 32 }))
  .map(([address, length]) => IpPrefix.of(address, length).network());
const name = fc.stringMatching(/^[a-z][a-z0-9.]{0,14}$/);

/** Only what is not undefined. */
function present<T extends object>(record: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T;
}

const SEED = { seed: 20260601, numRuns: 300 };

Deno.test("an address that is added is read back as it was asked for", () => {
  fc.assert(
    fc.property(
      index,
      ip,
      fc.integer({ min: 0, max: 32 }),
      fc.boolean(),
      (i, address, length, n) => {
        const spec = { index: i, address, prefixLength: length, nodad: n };
        const found = decodeAddress(payloadOf(addressCreation(spec)));
        assertEquals(
          [found?.index, found?.address, found?.prefixLength, found?.nodad, found?.permanent],
          [i, address, length, n, true],
        );
      },
    ),
    SEED,
  );
});

Deno.test("a route that is added is read back as it was asked for", () => {
  const options = fc.record({
    gateway: fc.option(ip, { nil: undefined }),
    index: fc.option(index, { nil: undefined }),
    metric: fc.option(u32, { nil: undefined }),
    mtu: fc.option(u32, { nil: undefined }),
  });
  const table = fc.integer({ min: 1, max: 0xffffffff });
  const type = fc.constantFrom("unicast" as const, "blackhole" as const, "local" as const, 11);
  fc.assert(
    fc.property(prefix, options, table, type, fc.boolean(), (destination, more, tab, kind, on) => {
      const { family } = destination;
      const wanted = { ...present(more), family, destination, table: tab, type: kind, onlink: on };
      const found = decodeRoute(payloadOf(routeCreation(wanted, "create")));
      assert(found !== undefined);
      const { protocol, scope: _, ...rest } = found;
      assertEquals({ ...rest }, { ...wanted });
      assertEquals(protocol, 4);
    }),
    SEED,
  );
});

Deno.test("a default route is read back with the prefix of all addresses", () => {
  const found = decodeRoute(payloadOf(routeCreation({ family: 6, index: 3 }, "replace")));
  assertEquals(`${found?.destination}`, "::/0");
});

Deno.test("a neighbour that is set is read back as it was asked for", () => {
  fc.assert(
    fc.property(index, ip, mac, fc.boolean(), (i, address, hardware, permanent) => {
      const spec = { index: i, address, mac: hardware, permanent };
      const found = decodeNeighbour(payloadOf(neighbourCreation(spec)));
      assertEquals(
        [found?.index, found?.address, found?.mac, found?.permanent],
        [i, address, hardware, permanent],
      );
    }),
    SEED,
  );
});

Deno.test("a rule that is added is read back as it was asked for", () => {
  const options = fc.record({
    priority: u32,
    table: u32,
    invert: fc.boolean(),
    action: fc.constantFrom("table" as const, "prohibit" as const, "goto" as const),
    mark: fc.option(u32, { nil: undefined }),
    markMask: fc.option(u32, { nil: undefined }),
    goto: fc.option(u32, { nil: undefined }),
    inputLink: fc.option(name, { nil: undefined }),
    outputLink: fc.option(name, { nil: undefined }),
  });
  fc.assert(
    fc.property(prefix, options, (source, more) => {
      const wanted = { ...present(more), source, family: source.family };
      assertEquals({ ...decodeRule(payloadOf(ruleCreation(wanted))) }, { ...wanted });
    }),
    SEED,
  );
});

Deno.test("a link's change is read back as it was asked for", () => {
  const options = fc.record({
    name: fc.option(name, { nil: undefined }),
    mtu: fc.option(u32, { nil: undefined }),
    mac: fc.option(mac, { nil: undefined }),
    master: fc.option(u32, { nil: undefined }),
    alias: fc.option(fc.stringMatching(/^[ -~]{1,200}$/), { nil: undefined }),
    txQueueLength: fc.option(u32, { nil: undefined }),
    gsoMaxSize: fc.option(u32, { nil: undefined }),
    gsoMaxSegments: fc.option(u32, { nil: undefined }),
    groMaxSize: fc.option(u32, { nil: undefined }),
  });
  fc.assert(
    fc.property(index, fc.boolean(), options, (i, up, more) => {
      const change = present(more);
      const found = decodeLink(payloadOf(linkChange(i, { ...change, up })));
      assertEquals({ ...found, ...change, index: i, up }, { ...found });
    }),
    SEED,
  );
});

Deno.test("a new link names its kind", () => {
  const link = decodeLink(payloadOf(linkCreation("bridge", { name: "br0", mtu: 1400 })));
  assertEquals([link.name, link.kind, link.mtu], ["br0", "bridge", 1400]);
});

Deno.test("a text longer than an attribute can be is refused", () => {
  assertThrows(() => linkQuery("x".repeat(70_000)), RangeError);
  const nested = (): NetlinkRequest => {
    const request = new NetlinkRequest(1, 0, 0);
    return request.nest(1, () => {
      for (let i = 0; i < 3; i++) request.bytes(2, new Uint8Array(30_000));
    });
  };
  assertThrows(nested, RangeError);
});

Deno.test("multipath routes and gateways of the other family are read", () => {
  const request = new NetlinkRequest(24, 0, 12).setU8(0, 2).setU8(7, 1);
  request.bytes(
    9,
    Uint8Array.of(
      ...[16, 0, 4, 1, 5, 0, 0, 0, 8, 0, 5, 0, 10, 0, 0, 1],
      ...[8, 0, 0, 0, 6, 0, 0, 0],
    ),
  );
  assertEquals(decodeRoute(payloadOf(request))?.nextHops, [
    { index: 5, weight: 2, onlink: true, gateway: IpAddress.parse("10.0.0.1") },
    { index: 6, weight: 1, onlink: false },
  ]);
});

Deno.test("entries of other families are passed over", () => {
  for (const [decode, size] of [[decodeRoute, 12], [decodeAddress, 8], [decodeRule, 12]] as const) {
    assertEquals(decode(new Uint8Array(size).fill(7, 0, 1)), undefined);
  }
});

/** Recorded from a Linux 6.18 kernel: one line per message, its kind and its payload. */
const corpus = Deno.readTextFileSync(new URL("testdata/answers.txt", import.meta.url))
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => {
    const [kind = "", hex = ""] = line.split(" ");
    return { kind, bytes: Uint8Array.fromHex(hex) };
  });

const decoders: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  link: decodeLink,
  address: decodeAddress,
  route: decodeRoute,
  neighbour: decodeNeighbour,
  rule: decodeRule,
  ack: (payload) => decodeOutcome({ type: 2, flags: 0x300, sequence: 1, payload }),
  datagram: decodeMessages,
};

Deno.test("every recorded answer of a kernel is understood", () => {
  assert(corpus.length > 20);
  for (const { kind, bytes } of corpus) {
    const decode = decoders[kind];
    assert(decode !== undefined, kind);
    assert(decode(bytes) !== undefined, kind);
  }
});

Deno.test("message lengths that make no sense are refused", () => {
  const good = new NetlinkRequest(1, 0, 4).encode(1);
  const withLength = (length: number): Uint8Array => {
    const bytes = good.slice();
    new DataView(bytes.buffer).setUint32(nlmsghdr.nlmsg_len, length, true);
    return bytes;
  };
  for (const length of [0, 15, 21, 0xffffffff]) {
    assertThrows(() => decodeMessages(withLength(length)), NetlinkError);
  }
  assertThrows(() => decodeMessages(good.subarray(0, 10)), NetlinkError);
  assertEquals(decodeMessages(new Uint8Array()), []);
});
