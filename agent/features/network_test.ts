import { assert, assertEquals } from "@contiv/assert";
import { parseClusterConfig } from "@contiv/model";
import { IpAddress, IpPrefix, MacAddress } from "@contiv/net";
import { nodeMtu, type NodeNetwork, nodeNetwork } from "../network/mod.ts";
import type { Change, Item } from "../reconciler/mod.ts";
import { renderGateway } from "./gateway.ts";
import { renderHost } from "./host.ts";
import { NodesFeature } from "./nodes.ts";
import { renderOutside } from "./outside.ts";
import { overlayMac, renderOverlay, renderPeer } from "./overlay.ts";

const WIDE =
  `{"podSubnets":["10.0.0.0/9","fd10:1::/64"],"hostSubnets":["10.128.0.0/10","fd10:2::/64"],
  "hostPrefixLengths":[28,120],"overlaySubnets":["10.192.0.0/16","fd10:3::/112"],
  "interconnectSubnets":["10.193.0.0/16","fd10:4::/112"],"serviceSubnets":["10.200.0.0/16"]}`;
const CONFIG = parseClusterConfig("{}", "test");

function node(id: number, config = CONFIG, internal: readonly string[] = []): NodeNetwork {
  return nodeNetwork(config, {
    name: `node${id}`,
    id,
    podCidrs: [],
    uplink: config.interconnect.map((subnet) => subnet.first.add(BigInt(id))),
    internal: internal.map((text) => IpAddress.parse(text)),
  });
}

function renderSelf(self: NodeNetwork, config = CONFIG): Item[] {
  const netns = { path: "/proc/self/ns/net", inode: "1" };
  const mtu = nodeMtu(1500, config);
  return [
    ...renderGateway(self.pods),
    ...renderOverlay(self, config, mtu),
    ...renderHost(self, config, mtu, netns, true),
    ...renderOutside(
      {
        device: "eth0",
        mac: MacAddress.parse("02:00:00:00:00:01"),
        netns,
        addresses: config.interconnect.map((subnet) =>
          IpPrefix.of(subnet.first.add(BigInt(self.id)), subnet.length)
        ),
        gateways: [IpAddress.parse("192.168.16.254")],
      },
      config,
      mtu,
    ),
  ];
}

for (const transport of ["vxlan", "none"] as const) {
  Deno.test(`all that is required is rendered, and no key twice: transport ${transport}`, () => {
    const config = parseClusterConfig(JSON.stringify({ transport }), "test");
    const nodes = new NodesFeature(node(1, config), config, true);
    nodes.set(node(2, config, ["203.0.113.9"]));
    const items = [...renderSelf(node(1, config, ["203.0.113.7"]), config), ...nodes.all()];
    const keys = new Set(items.map(({ key }) => key));
    assertEquals(keys.size, items.length);
    for (const { key, requires } of items) {
      for (const needed of requires) assert(keys.has(needed), `${key} requires ${needed}`);
    }
    assertEquals(keys.has("vpp-route/203.0.113.9/32"), true);
    assertEquals(keys.has("vpp-route/203.0.113.7/32"), true);
    assertEquals(keys.has("vpp-snat-exclusion/203.0.113.9/32"), true);
    assertEquals([...keys].some((key) => key.startsWith("vpp-vxlan/")), transport === "vxlan");
  });
}

Deno.test("a node is reached through its tunnel, by both families", () => {
  const items = renderPeer(node(1), node(2, CONFIG, ["192.168.16.2"]), CONFIG);
  const keys = items.map(({ key }) => key);
  assertEquals(keys, [
    "vpp-vxlan/2",
    "vpp-bridge-port/2",
    `vpp-bridge-mac/${overlayMac(2)}`,
    "vpp-neighbour/overlay/192.168.30.2",
    "vpp-neighbour/overlay/fd10:3::c000:2",
    "vpp-route/10.1.2.0/24",
    "vpp-route/fd10:1::200/120",
    "vpp-route/172.30.2.0/24",
    "vpp-route/fd10:2::8000:200/120",
  ]);
});

Deno.test("a node that has not said where it is brings nothing yet", () => {
  assertEquals(renderPeer(node(1), { ...node(2), uplink: [] }, CONFIG), []);
});

Deno.test("a node that leaves takes all along; one that changes takes what it has no more", () => {
  const nodes = new NodesFeature(node(1), CONFIG, false);
  const joined = nodes.set(node(2, CONFIG, ["203.0.113.9"]));
  const changed = nodes.set(node(2, CONFIG, ["203.0.113.10"]));
  const removed = (changes: readonly Change[]): string[] =>
    changes.filter((each) => "delete" in each).map(({ key }) => key);
  assertEquals(removed(changed), ["vpp-route/203.0.113.9/32"]);
  assertEquals(removed(nodes.delete("node2")).length, joined.length);
  assertEquals(nodes.all(), []);
});

Deno.test("what is wanted of this node stays while its record is gone, and after", () => {
  const nodes = new NodesFeature(node(1), CONFIG, true);
  const own = nodes.all();
  assert(own.length > 0);
  assertEquals(nodes.delete("node1"), []);
  assertEquals(nodes.set(node(1)), []);
  assertEquals(nodes.all(), own);
});

Deno.test("of two nodes that claim one address the first by name has it, whoever came first", () => {
  const claim = (id: number): NodeNetwork => node(id, CONFIG, ["203.0.113.9"]);
  const ownerOf = (changes: readonly Change[]): unknown => {
    const route = changes.find(({ key }) => key === "vpp-route/203.0.113.9/32");
    return route !== undefined && "owner" in route ? route.owner : undefined;
  };
  const nodes = new NodesFeature(node(1), CONFIG, false);
  assertEquals(ownerOf(nodes.set(claim(3))), "node node3");
  assertEquals(ownerOf(nodes.set(claim(2))), "node node2");
  assertEquals(ownerOf(nodes.set(claim(3))), "node node2");
  assertEquals(ownerOf(nodes.delete("node2")), "node node3");
});

Deno.test("an event costs the same with 10 and with 5,000 nodes", () => {
  const config = parseClusterConfig(WIDE, "test");
  const cost = (count: number): number[] => {
    const nodes = new NodesFeature(node(1, config), config, true);
    for (let id = 2; id <= count; id++) nodes.set(node(id, config));
    const before = nodes.rendered;
    const joined = nodes.set(node(count + 1, config));
    const moved = nodes.set(node(count + 1, config, ["203.0.113.9"]));
    const left = nodes.delete(`node${count + 1}`);
    return [nodes.rendered - before, joined.length, moved.length, left.length];
  };
  assertEquals(cost(5_000), cost(10));
});

Deno.test("what comes to the outside is everything but the cluster's own prefixes", () => {
  const excluded = renderSelf(node(1)).map(({ key }) => key)
    .filter((key) => key.startsWith("vpp-snat-exclusion/"));
  assertEquals(excluded.map((key) => key.slice("vpp-snat-exclusion/".length)).sort(), [
    "10.1.0.0/16",
    "10.96.0.0/12",
    "172.30.0.0/16",
    "192.168.16.0/24",
    "192.168.30.0/24",
    "fd10:1::/64",
    "fd10:2::8000:0/97",
    "fd10:3::c000:0/112",
    "fd10:4::a000:0/112",
    "fd10:96::/112",
  ]);
});
