import { assertEquals, assertThrows } from "@contiv/assert";
import { DEFAULT_CLUSTER_CONFIG, parseClusterConfig } from "@contiv/model";
import { IpAddress, IpPrefix } from "@contiv/net";
import { nodeMtu } from "./node_mtu.ts";
import { hostAddress, nodeNetwork, tunnelEnd } from "./node_network.ts";

const FACTS = { name: "n", podCidrs: [], uplink: [], internal: [] };

Deno.test("all of a node's addresses follow from its ID", () => {
  const node = nodeNetwork(DEFAULT_CLUSTER_CONFIG, { ...FACTS, id: 7 });
  assertEquals(node.pods.map(({ prefix }) => `${prefix}`), ["10.1.7.0/24", "fd10:1::700/120"]);
  assertEquals(node.hostLink.map(({ gateway }) => `${gateway}`), [
    "172.30.7.1",
    "fd10:2::8000:701",
  ]);
  assertEquals(node.hostLink.map((link) => `${hostAddress(link)}`), [
    "172.30.7.2",
    "fd10:2::8000:702",
  ]);
  assertEquals(node.overlay.map(String), ["192.168.30.7/24", "fd10:3::c000:7/112"]);
});

Deno.test("prefixes that Kubernetes gave take the place of the ID's", () => {
  const podCidrs = ["fd00:9::/64", "10.244.3.0/24"].map((text) => IpPrefix.parse(text));
  const node = nodeNetwork(DEFAULT_CLUSTER_CONFIG, { ...FACTS, id: 7, podCidrs });
  assertEquals(node.pods.map(({ prefix }) => `${prefix}`), ["10.244.3.0/24", "fd00:9::/64"]);
});

Deno.test("tunnels end at the uplink's address of the underlay's family", () => {
  const uplink = ["192.0.2.1", "2001:db8::1"].map((text) => IpAddress.parse(text));
  const node = nodeNetwork(DEFAULT_CLUSTER_CONFIG, { ...FACTS, id: 1, uplink });
  assertEquals([tunnelEnd(node, 4), tunnelEnd(node, 6)].map(String), ["192.0.2.1", "2001:db8::1"]);
});

Deno.test("pods' MTU is the uplink's less the tunnel's headers", () => {
  const config = (text: string) => parseClusterConfig(text, "test");
  assertEquals(nodeMtu(1500, config("{}")), { uplink: 1500, pod: 1450 });
  assertEquals(nodeMtu(9000, config(`{"underlay":"ipv6"}`)), { uplink: 9000, pod: 8930 });
  assertEquals(nodeMtu(1500, config(`{"transport":"none"}`)), { uplink: 1500, pod: 1500 });
  assertEquals(nodeMtu(65_535, config(`{"transport":"none"}`)), { uplink: 9000, pod: 9000 });
  assertThrows(() => nodeMtu(1300, config("{}")), RangeError, "at least 1330 wanted");
});
