/** Several nodes: who reaches whom, and as whom they are seen, through tunnels and without. */
import { assertEquals } from "@contiv/assert";
import type { Cluster } from "../deploy/sandbox/cluster.ts";
import { measureCluster } from "../deploy/sandbox/cluster_matrix.ts";
import type { MatrixCell } from "../deploy/sandbox/probe/mod.ts";
import { dataPlaneTest } from "./support/requires.ts";
import { TestCluster } from "./support/test_cluster.ts";

interface Case {
  readonly way: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly nodes: number;
  /** On each node. */
  readonly pods: number;
  /** How many there are to measure; see {@link pathCount}. */
  readonly paths: number;
}

const CASES: readonly Case[] = [
  { way: "through tunnels", config: { transport: "vxlan" }, nodes: 3, pods: 3, paths: 1_053 },
  { way: "without tunnels", config: { transport: "none" }, nodes: 3, pods: 3, paths: 1_053 },
  { way: "through tunnels over IPv6", config: { underlay: "ipv6" }, nodes: 2, pods: 1, paths: 142 },
];

for (const { config, nodes, paths, pods, way } of CASES) {
  const what = `${nodes} x ${pods} pods, hosts and the outside see each other's source ${way}`;
  dataPlaneTest(what, async (dataPlane) => {
    await using test = await TestCluster.start({ nodes, dataPlane, config });
    const { cluster, libc } = test;
    await Promise.all(cluster.nodes.map(async ({ record: { node } }) => {
      for (let i = 1; i <= pods; i++) await cluster.addPod(node.name, `${node.name}-pod${i}`);
    }));
    // The outside has to ask for its neighbours, and once did so by an address that nodes do not know.
    await test.inNetns(cluster.fabric.internetNetns, ["ip", "neigh", "flush", "all"]);
    const { cells, known, table, wrong } = await measureCluster(libc, cluster);
    assertEquals(wrong, [], table);
    assertEquals(cells.length, paths, table);
    assertEquals(paths, pathCount(nodes, pods));
    // VPP does not find the answers to pods' IPv6 echoes to the outside. Record: 0031.
    assertEquals(known.length, dataPlane.kind === "vpp" ? nodes * pods : 0, known.join("\n"));
    const strange = cells.filter((cell) => cell.source !== sourceOf(cluster, cell));
    assertEquals(strange, [], table);
  });
}

/** All pairs in six ways; pods ask nodes' internal addresses in three, hosts each others'; gateways. */
function pathCount(nodes: number, podsEach: number): number {
  const pods = nodes * podsEach;
  const ends = pods + nodes + 1;
  return ends * (ends - 1) * 6 + pods * nodes * 3 + nodes * (nodes - 1) * 3 + pods * 2;
}

/** As whom the receiver is to see the sender, by the numbers of the sender's node. */
function sourceOf(cluster: Cluster, { address, from, to }: MatrixCell): string | undefined {
  const is6 = address.includes(":");
  if (to === "gateway") return undefined;
  if (from === "internet") return is6 ? "2001:db8:99::1" : "198.51.100.1";
  const { places } = cluster.record;
  const name = /node\d+/.exec(from)?.[0] ?? "";
  const id = places[name]?.id;
  if (from.startsWith("host-")) {
    if (to.startsWith("internal-")) return `192.168.100.${name.slice("node".length)}`;
    return is6 ? `fd10:2::8000:${id}02` : `172.30.${id}.2`;
  }
  if (to === "internet") return is6 ? `fd10:4::a000:${id}` : `192.168.16.${id}`;
  const [ip4, ip6] = cluster.node(name).pod(from).addresses;
  return is6 ? ip6 : ip4;
}
