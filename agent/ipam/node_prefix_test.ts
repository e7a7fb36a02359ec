import { assertEquals, assertThrows } from "@contiv/assert";
import { IpAddress, IpPrefix } from "@contiv/net";
import { IpamError } from "./error.ts";
import { NodePrefix } from "./node_prefix.ts";

const OF_NODE = [
  { subnet: "1.2.128.0/17", length: 29, id: 1, prefix: "1.2.128.8/29", pods: 4n },
  { subnet: "10.1.0.0/16", length: 24, id: 1, prefix: "10.1.1.0/24", pods: 252n },
  { subnet: "10.1.0.0/16", length: 22, id: 3, prefix: "10.1.12.0/22", pods: 1020n },
  { subnet: "1.4.1.0/24", length: 28, id: 1, prefix: "1.4.1.16/28", pods: 12n },
  { subnet: "1.4.1.0/24", length: 28, id: 15, prefix: "1.4.1.240/28", pods: 12n },
  { subnet: "1.4.1.0/24", length: 28, id: 16, prefix: "1.4.1.0/28", pods: 12n },
  { subnet: "fe10:f00d::/112", length: 120, id: 5, prefix: "fe10:f00d::500/120", pods: 252n },
  { subnet: "fd00::/48", length: 64, id: 5, prefix: "fd00:0:0:5::/64", pods: 2n ** 64n - 4n },
  { subnet: "10.1.1.0/24", length: 24, id: 1, prefix: "10.1.1.0/24", pods: 252n },
] as const;

Deno.test("a node's prefix follows from its ID", async (t) => {
  for (const { subnet, length, id, prefix, pods } of OF_NODE) {
    await t.step(`node ${id} of ${subnet} in /${length}`, () => {
      const layout = NodePrefix.ofNode(IpPrefix.parse(subnet), length, id);
      assertEquals(layout.prefix.toString(), prefix);
      assertEquals(layout.capacity, pods);
    });
  }
});

const REFUSED = [
  ["an ID past the wrapped one", "1.4.1.0/24", 28, 17, "BAD_NODE_ID", /node 17 .*1 to 16/],
  ["ID 0", "1.4.1.0/24", 28, 0, "BAD_NODE_ID", /node 0 /],
  ["a fraction of an ID", "1.4.1.0/24", 28, 1.5, "BAD_NODE_ID", /node 1.5 /],
  ["a node prefix shorter than the subnet", "1.4.1.0/24", 20, 1, "BAD_PREFIX", /length 20/],
  ["a node prefix without room for a pod", "1.4.1.0/24", 30, 1, "BAD_PREFIX", /4, wanted more/],
  ["a subnet with host bits", "1.4.1.1/24", 28, 1, "BAD_PREFIX", /wanted 1.4.1.0\/24/],
] as const;

Deno.test("what gives no node prefix is refused by name", async (t) => {
  for (const [name, subnet, length, id, code, message] of REFUSED) {
    await t.step(name, () => {
      const error = assertThrows(
        () => NodePrefix.ofNode(IpPrefix.parse(subnet), length, id),
        IpamError,
      );
      assertEquals(error.code, code);
      assertEquals(message.test(error.message), true, error.message);
    });
  }
});

const LAYOUTS = [
  ["1.2.128.8/29", "1.2.128.9", "1.2.128.10", "1.2.128.13", "1.2.128.14"],
  [
    "fe10:f00d::500/120",
    "fe10:f00d::501",
    "fe10:f00d::502",
    "fe10:f00d::5fd",
    "fe10:f00d::5fe",
  ],
] as const;

Deno.test("gateway comes first, the service loopback last, pods in between", async (t) => {
  for (const [prefix, gateway, firstPod, lastPod, loopback] of LAYOUTS) {
    await t.step(prefix, () => {
      const layout = NodePrefix.of(IpPrefix.parse(prefix));
      assertEquals(layout.gateway.toString(), gateway);
      assertEquals(layout.firstPod.toString(), firstPod);
      assertEquals(layout.lastPod.toString(), lastPod);
      assertEquals(layout.serviceLoopback.toString(), loopback);
      const may = (text: string): boolean => layout.isPodAddress(IpAddress.parse(text));
      assertEquals([gateway, firstPod, lastPod, loopback].map(may), [false, true, true, false]);
      assertEquals(may("192.0.2.1"), false);
    });
  }
});
