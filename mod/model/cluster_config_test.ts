import { assertEquals, assertThrows } from "@contiv/assert";
import { ConfigError } from "@contiv/config";
import { IpPrefix } from "@contiv/net";
import {
  DEFAULT_CLUSTER_CONFIG,
  maxNodeId,
  parseClusterConfig,
  sharedAddress,
  writeClusterConfig,
} from "./cluster_config.ts";

Deno.test("a cluster without a configuration has both families and VXLAN over IPv4", () => {
  const config = DEFAULT_CLUSTER_CONFIG;
  assertEquals(config.pods.map(({ subnet, nodeLength }) => `${subnet} ${nodeLength}`), [
    "10.1.0.0/16 24",
    "fd10:1::/64 120",
  ]);
  assertEquals([config.transport, config.underlay, config.vni, config.port], [
    "vxlan",
    4,
    10,
    4789,
  ]);
  assertEquals(maxNodeId(config), 254);
});

Deno.test("what is written is read again", () => {
  for (const text of ["{}", `{"podSubnets":["10.2.0.0/15"],"transport":"none","vni":77}`]) {
    const config = parseClusterConfig(text, "test");
    assertEquals(
      writeClusterConfig(parseClusterConfig(writeClusterConfig(config), "test")),
      writeClusterConfig(config),
    );
  }
});

Deno.test("a cluster of one family leaves the other's subnets out, except between nodes", () => {
  const config = parseClusterConfig(`{"podSubnets":["fd10:1::/64"]}`, "test");
  assertEquals(config.hosts.map(({ subnet }) => `${subnet}`), ["fd10:2::8000:0/97"]);
  assertEquals(config.overlay.map(String), ["fd10:3::c000:0/112"]);
  assertEquals(config.services.map(String), ["fd10:96::/112"]);
  assertEquals(config.interconnect.length, 2);
});

Deno.test("a node's address in a shared subnet is its ID's", () => {
  for (
    const [subnet, id, wanted] of [
      ["3.4.5.192/26", 5, "3.4.5.197/26"],
      ["4.5.6.192/26", 5, "4.5.6.197/26"],
      ["fd10:3::/112", 258, "fd10:3::102/112"],
    ] as const
  ) {
    assertEquals(String(sharedAddress(IpPrefix.parse(subnet), id)), wanted);
  }
});

Deno.test("what makes no sense is refused with its key", async (t) => {
  const cases = [
    [`{"podSubnets":["10.1.0.1/16"]}`, "podSubnets[0]", "host bits"],
    [`{"podSubnets":[]}`, "podSubnets", "at least one"],
    [`{"podSubnets":["10.1.0.0/16","10.2.0.0/16"]}`, "podSubnets", "one subnet per family"],
    [`{"podSubnets":["10.1.0.0/16"],"nodePrefixLengths":[30]}`, "nodePrefixLengths", "16 to 29"],
    [
      `{"podSubnets":["10.1.0.0/16"],"nodePrefixLengths":[24,24]}`,
      "nodePrefixLengths",
      "one length",
    ],
    [`{"podSubnets":["10.0.0.0/8"]}`, "serviceSubnets", "apart from 10.0.0.0/8 of podSubnets"],
    [`{"transport":"gre"}`, "transport", "vxlan, none"],
    [`{"vni":0}`, "vni", "1 to 16777215"],
    [`{"podSubnet":"10.1.0.0/16"}`, "podSubnet", "known"],
  ] as const;
  for (const [text, key, reason] of cases) {
    await t.step(text, () => {
      const error = assertThrows(() => parseClusterConfig(text, "test"), ConfigError);
      assertEquals(
        error.message.includes(key) && error.message.includes(reason),
        true,
        error.message,
      );
    });
  }
});
