import { assert, assertEquals } from "@contiv/assert";
import { DEFAULT_CLUSTER_CONFIG as CONFIG } from "@contiv/model";
import { IpAddress, IpPrefix, MacAddress } from "@contiv/net";
import type { FakeNamespaces } from "../descriptors/linux/fake_namespaces.ts";
import { toAddress } from "../descriptors/vpp/_api.ts";
import { nodeMtu, type NodeNetwork, nodeNetwork } from "../network/mod.ts";
import { FakeNode } from "./_fake_node.ts";
import type { AgentNetwork } from "./network_controller.ts";

const UPLINK_MAC = MacAddress.parse("02:00:00:00:00:77");

function member(id: number): NodeNetwork {
  return nodeNetwork(CONFIG, {
    name: `node${id}`,
    id,
    podCidrs: [],
    uplink: [IpAddress.parse(`192.168.16.${id}`)],
    internal: [],
  });
}

function network(namespaces: FakeNamespaces): AgentNetwork {
  const host = namespaces.make("/proc/self/ns/net");
  host.addLink("eth0", "veth", UPLINK_MAC);
  return {
    config: CONFIG,
    self: member(1),
    mtu: nodeMtu(1500, CONFIG),
    hostNetns: host.ref,
    uplink: {
      device: "eth0",
      mac: UPLINK_MAC,
      netns: host.ref,
      addresses: [IpPrefix.parse("192.168.16.1/24")],
      gateways: [IpAddress.parse("192.168.16.254")],
    },
  };
}

const start = (): Promise<FakeNode> => FakeNode.start(undefined, network);
const failed = ({ agent }: FakeNode): string[] =>
  agent.reconciler.statuses().filter(({ state }) => state !== "applied").map(({ key }) => key);

Deno.test("a node is joined with its host, the outside and the others", async () => {
  await using node = await start();
  await node.agent.network.update({ set: [member(2)], deleted: [] });
  await node.add("c1");
  assertEquals(failed(node), []);
  const { contents } = node.model;
  const has = (line: string): void => assert(contents.includes(line), `${line} is there`);
  has("tunnel 2 to 192.168.16.2 vni 10");
  has("bridge 4243 has vxlan_tunnel2 group 1");
  has("bridge 4243 contiv:nodes of loop4243");
  has("host-eth0 contiv:uplink up mtu 1500");
  has("loop4243 contiv:overlay up mtu 1450");
  has("loop4243 neighbour 192.168.30.2");
  has("route 10.1.2.0/24");
  has("route 0.0.0.0/0");
  has("cnat policy 2");
  has("cnat leaves 10.1.0.0/16");
  has("cnat on tap");
  assertEquals(
    node.namespaces.get("/proc/self/ns/net")?.contents.filter((line) => line.includes("10.1.0.0")),
    ["route 10.1.0.0/16"],
  );
});

Deno.test("an agent that starts again touches nothing, also of what VPP does not tell", async () => {
  await using node = await start();
  await node.agent.network.update({ set: [member(2), member(3)], deleted: [] });
  await node.add("c1");
  const before = node.model.contents;
  await node.stopAgent();
  node.model.changes = 0;
  node.namespaces.history.length = 0;
  node.startAgent("boot", { set: [member(2), member(3)], deleted: [] });
  await node.settled();
  assertEquals([node.model.changes, node.namespaces.history.length], [0, 0]);
  assertEquals(node.model.contents, before);
});

Deno.test("a node that left while no agent ran is taken away at the next start", async () => {
  await using node = await start();
  await node.agent.network.update({ set: [member(2)], deleted: [] });
  const two = node.model.contents;
  await node.agent.network.update({ set: [member(3)], deleted: [] });
  await node.stopAgent();
  node.startAgent("boot", { set: [member(2)], deleted: [] });
  await node.settled();
  assertEquals(node.model.contents, two);
});

Deno.test("a VPP that restarts gets everything again", async () => {
  await using node = await start();
  await node.agent.network.update({ set: [member(2)], deleted: [] });
  await node.add("c1");
  const before = node.model.contents;
  node.model.restart();
  await node.until(() => node.model.contents.join() === before.join());
});

Deno.test("a node that leaves leaves nothing behind", async () => {
  await using node = await start();
  const before = node.model.contents;
  await node.agent.network.update({ set: [member(2), member(3)], deleted: [] });
  await node.agent.network.update({ set: [], deleted: ["node2", "node3"] });
  assertEquals(node.model.contents, before);
});

Deno.test("whatever change VPP refuses, what is wanted is there in the end", async () => {
  for (let change = 1; change <= 70; change += 3) {
    await using node = await start();
    node.model.failChange(change);
    await node.agent.network.update({ set: [member(2)], deleted: [] });
    await node.until(() => failed(node).length === 0);
    assert(node.model.contents.includes("route 10.1.2.0/24"));
  }
});

Deno.test("nodes that come while VPP is away are joined when it is back", async () => {
  await using node = await start();
  node.reachable = false;
  node.model.vpp.disconnect();
  await node.until(() => node.agent.unavailable !== undefined);
  const { operationsSent } = node.agent.reconciler.counters;
  for (let id = 2; id < 12; id++) {
    await node.agent.network.update({ set: [member(id)], deleted: [] });
  }
  assertEquals(node.agent.reconciler.counters.operationsSent, operationsSent);
  node.reachable = true;
  await node.settled();
  assertEquals(failed(node), []);
  assert(node.model.contents.includes("route 10.1.11.0/24"));
});

Deno.test("tunnels that others made in VPP are left alone, and one of ours without its tag is not", async () => {
  await using node = await start();
  const tunnel = (instance: number, to: number): Promise<unknown> =>
    node.agent.vppClient().request("vxlan_add_del_tunnel_v3", {
      is_add: true,
      instance,
      src_address: toAddress(IpAddress.parse("192.168.16.1")),
      dst_address: toAddress(IpAddress.parse(`192.168.16.${to}`)),
      src_port: CONFIG.port,
      dst_port: CONFIG.port,
      mcast_sw_if_index: 0xffffffff,
      encap_vrf_id: 0,
      decap_next_index: 0xffffffff,
      vni: CONFIG.vni,
    });
  await tunnel(77, 77);
  // As an agent leaves it that dies between the two messages.
  await tunnel(2, 2);
  await node.stopAgent();
  node.startAgent("boot", { set: [member(2)], deleted: [] });
  await node.settled();
  assertEquals(failed(node), []);
  const tunnels = (): string[] =>
    node.model.contents.filter((line) => /^tunnel |^vxlan_tunnel/.test(line));
  assertEquals(tunnels(), [
    "tunnel 2 to 192.168.16.2 vni 10",
    "tunnel 77 to 192.168.16.77 vni 10",
    "vxlan_tunnel2 contiv:node down mtu 9000",
    "vxlan_tunnel77  down mtu 9000",
  ]);
  await node.agent.network.update({ set: [], deleted: ["node2"] });
  assertEquals(tunnels(), ["tunnel 77 to 192.168.16.77 vni 10", "vxlan_tunnel77  down mtu 9000"]);
});
