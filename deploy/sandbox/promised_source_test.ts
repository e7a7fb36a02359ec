import { assertEquals } from "@contiv/assert";
import { type ClusterEnd, promisedSource } from "./promised_source.ts";

const common = { netns: "", gateways: [] };
const pod = (node: string, addresses: string[], uplink: string[]): ClusterEnd => ({
  ...{ ...common, kind: "pod", name: addresses[0] ?? "" },
  ...{ node, addresses, uplink },
});
const host = (node: string, addresses: string[], internal: string[]): ClusterEnd => ({
  ...{ ...common, kind: "host", name: `host-${node}` },
  ...{ node, addresses, internal },
});
const pod1 = pod("node1", ["10.1.1.2", "fd10:1::102"], ["192.168.16.1", "fd10:4::1"]);
const pod2 = pod("node2", ["10.1.2.2", "fd10:1::202"], ["192.168.16.2", "fd10:4::2"]);
const host1 = host("node1", ["172.30.1.2", "fd10:2::102"], ["192.168.100.1"]);
const host2 = host("node2", ["172.30.2.2", "fd10:2::202"], ["192.168.100.2"]);
const internal = (node: string, address: string): ClusterEnd => ({
  ...{ ...common, kind: "internal", name: `internal-${node}` },
  ...{ node, addresses: [address] },
});
const internal1 = internal("node1", "192.168.100.1");
const internal2 = internal("node2", "192.168.100.2");
const outside: ClusterEnd = {
  ...{ ...common, kind: "outside", name: "internet" },
  addresses: ["198.51.100.1", "2001:db8:99::1"],
};

const CASES: readonly [what: string, ClusterEnd, ClusterEnd, string, string | undefined][] = [
  ["pods see each other's own", pod1, pod2, "10.1.2.2", "10.1.1.2"],
  ["in IPv6 too", pod1, pod2, "fd10:1::202", "fd10:1::102"],
  ["a host sees a remote pod's own", pod1, host2, "172.30.2.2", "10.1.1.2"],
  ["a node's internal address is in the cluster", pod1, internal2, "192.168.100.2", "10.1.1.2"],
  ["a pod sees a remote host's own", host1, pod2, "fd10:1::202", "fd10:2::102"],
  ["outside sees a pod's node", pod2, outside, "198.51.100.1", "192.168.16.2"],
  ["outside sees it in IPv6 too", pod2, outside, "2001:db8:99::1", "fd10:4::2"],
  ["a pod sees who is outside", outside, pod1, "10.1.1.2", "198.51.100.1"],
  ["outside sees a host's own", host1, outside, "198.51.100.1", "172.30.1.2"],
  [
    "hosts use the network of internal addresses",
    host1,
    internal2,
    "192.168.100.2",
    "192.168.100.1",
  ],
  ["a host's way to itself is not ours", host1, internal1, "192.168.100.1", undefined],
  ["internal addresses are not outside's", outside, internal1, "192.168.100.1", undefined],
  ["nor are they asked twice", internal1, pod1, "10.1.1.2", undefined],
];

for (const [what, from, to, address, wanted] of CASES) {
  Deno.test(`promised source: ${what}`, () => {
    assertEquals(promisedSource(from, to, address), wanted);
  });
}
