import { assertEquals } from "@contiv/assert";
import { IpAddress } from "@contiv/net";
import { FakeCluster } from "./_fake_cluster.ts";
import { commonFamily, findEnd } from "./trace_end.ts";
import { tracedPackets } from "./traced_packet.ts";

const TRACE = `------------------- Start of thread 0 vpp_main -------------------
Packet 1

00:00:12:345678: virtio-input
  virtio: hw_if_index 3
00:00:12:345679: ip4-input
  ICMP: 10.1.1.2 -> 10.1.2.2
00:00:12:345680: vxlan4-encap
  VXLAN encap to vxlan_tunnel0 vni 10

Packet 2

00:00:12:345690: virtio-input
  virtio: hw_if_index 3
00:00:12:345691: ip4-input
  ICMP: 10.1.1.2 -> 10.1.2.22

Packet 3

00:00:12:345700: af-packet-input
  af_packet: hw_if_index 1
00:00:12:345701: ip4-input
  ICMP: 10.1.2.2 -> 10.1.1.2
00:00:12:345702: error-drop
  rx:host-eth0
`;

Deno.test("of all traced packets those between two addresses are taken, with where they end", () => {
  const [a, b] = ["10.1.1.2", "10.1.2.2"].map((text) => IpAddress.parse(text));
  const packets = tracedPackets(TRACE, a!, b!);
  assertEquals(packets.map(({ direction, path }) => [direction, ...path]), [
    ["there", "virtio-input", "ip4-input", "vxlan4-encap"],
    ["back", "af-packet-input", "ip4-input", "error-drop"],
  ]);
  assertEquals(packets[0]!.text.startsWith("00:00:12:345678: virtio-input"), true);
  assertEquals(tracedPackets("No packets in trace buffer\n", a!, b!), []);
});

Deno.test("ends of a trace are pods, nodes and addresses, whosesoever they are", () => {
  const { view } = new FakeCluster(2);
  const label = (word: string): readonly unknown[] => {
    const end = findEnd(view, word, "default");
    return [end?.label, end?.node, end?.from];
  };
  assertEquals(label("p1"), ["default/p1", "node1", "id1"]);
  assertEquals(label("default/p2"), ["default/p2", "node2", "id2"]);
  assertEquals(label("other/p2"), [undefined, undefined, undefined]);
  assertEquals(label("node2"), ["host of node2", "node2", "host"]);
  assertEquals(label("172.30.2.2"), ["host of node2", "node2", "host"]);
  assertEquals(label("fd10:1::202"), ["default/p2", "node2", "id2"]);
  assertEquals(label("198.51.100.1"), ["198.51.100.1", undefined, undefined]);
});

Deno.test("a new sandbox of a pod is meant, not the one that is being deleted", () => {
  const cluster = new FakeCluster(1);
  const [pod] = cluster.connections;
  cluster.connection(0, { state: "deleting" });
  cluster.connections.push({ ...pod!, id: "new" });
  assertEquals(findEnd(cluster.view, "p1", "default")?.from, "new");
});

Deno.test("both addresses of a trace are of one family", () => {
  const { view } = new FakeCluster(2);
  const end = (word: string) => findEnd(view, word, "default")!;
  const family = (to: string, wanted?: 4 | 6): unknown =>
    commonFamily(end("p1"), end(to), wanted)?.map(String);
  assertEquals(family("p2"), ["10.1.1.2", "10.1.2.2"]);
  assertEquals(family("p2", 6), ["fd10:1::102", "fd10:1::202"]);
  assertEquals(family("2001:db8::1"), ["fd10:1::102", "2001:db8::1"]);
  assertEquals(family("2001:db8::1", 4), undefined);
});
