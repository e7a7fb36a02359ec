import { assert, assertEquals } from "@contiv/assert";
import { IpAddress, IpPrefix } from "@contiv/net";
import { FakeCluster } from "../_fake_cluster.ts";
import { NO_CLUSTER } from "../cluster_view.ts";
import { diagnose } from "./diagnose.ts";
import type { Examination } from "./examination.ts";

Deno.test("a sound cluster has nothing wrong", () => {
  for (const count of [0, 1, 2, 5]) {
    assertEquals(diagnose(new FakeCluster(count).examination()), []);
  }
});

/** A fault, and the subject and a part of the problem of each finding that it makes. */
type Case = readonly [
  fault: string,
  make: (cluster: FakeCluster) => Partial<Examination> | void,
  findings: readonly (readonly [subject: string, problem: string])[],
];

const away = { endpoint: "http://b", healthy: false, reason: "refused" };

const CASES: readonly Case[] = [
  [
    "the store is away",
    () => ({
      health: { healthy: false, endpoints: [away] },
      storeError: "away",
      view: NO_CLUSTER,
      ksr: { leader: undefined, status: {} },
    }),
    [["store", "http://b: refused"]],
  ],
  [
    "a member of the store is away",
    () => ({ health: { healthy: true, endpoints: [{ endpoint: "a", healthy: true }, away] } }),
    [["store", "http://b does not answer, others do"]],
  ],
  [
    "a value cannot be read",
    (cluster) => ({ view: { ...cluster.view, unreadable: ["Cannot read x: 1, 2 wanted"] } }),
    [["store", "Cannot read x"]],
  ],
  [
    "no ksr leads",
    () => ({ ksr: { leader: undefined, status: {} } }),
    [["ksr", "No ksr leads"]],
  ],
  [
    "ksr is stale",
    () => ({
      ksr: {
        leader: "k",
        status: {
          kinds: [
            { kind: "pods", whole: true, sourceError: "the API is away" },
            { kind: "nodes", whole: false },
            { kind: "services", whole: true, storeError: "disk full" },
          ],
        },
      },
    }),
    [["ksr", "the API is away"], ["ksr", "nodes have not been listed"], ["ksr", "disk full"]],
  ],
  [
    "objects cannot be taken over",
    () => ({
      ksr: {
        leader: "k",
        status: {
          kinds: [{
            kind: "services",
            whole: true,
            problemCount: 2,
            problems: [{ subject: "a/b", message: "no port" }],
          }],
        },
      },
    }),
    [["ksr", "2 of the services cannot be taken over, such as a/b: no port"]],
  ],
  [
    "a node's agent has never joined",
    (cluster) => {
      for (const map of [cluster.records, cluster.vswitches, cluster.agents]) map.delete("node3");
      cluster.ids.delete(3);
      cluster.connections.pop();
      cluster.pods.pop();
      for (const name of ["node1", "node2"]) cluster.agent(name, { peers: 1 });
    },
    [["node3", "its agent has never joined"]],
  ],
  [
    "a node's ID is another's by now, and it says so",
    (cluster) => {
      for (const map of [cluster.records, cluster.vswitches]) map.delete("node3");
      cluster.ids.delete(3);
      cluster.connections.pop();
      cluster.pods.pop();
      for (const name of ["node1", "node2"]) cluster.agent(name, { peers: 1 });
      cluster.agent("node3", { peers: 0, conflict: "node9 has ID 3", unavailable: "that" });
    },
    [["node3", "It is cut off from the cluster: node9 has ID 3."]],
  ],
  [
    "Kubernetes lacks a node",
    (cluster) => void cluster.nodes.delete("node2"),
    [["node2", "Kubernetes has no such node"]],
  ],
  [
    "a node's ID is another's, and one holds two",
    (cluster) => void cluster.ids.set(2, "node1"),
    [["node1", "It holds ID 2 besides"], ["node2", "ID 2, which node1 holds"]],
  ],
  [
    "prefixes are not those of the ID, and overlap",
    (cluster) => {
      const pods = cluster.records.get("node1")!.pods;
      cluster.record("node2", { pods });
      cluster.connections.splice(1, 1);
      cluster.pods.splice(1, 1);
    },
    [
      ["node2", "prefixes are 10.1.1.0/24, fd10:1::100/120, and ID 2 means 10.1.2.0/24"],
      ["node1, node2", "10.1.1.0/24 and 10.1.1.0/24 overlap"],
      ["node1, node2", "fd10:1::100/120 and fd10:1::100/120 overlap"],
    ],
  ],
  [
    "Kubernetes gave other prefixes",
    (cluster) => {
      const podCidrs = [IpPrefix.parse("10.244.1.0/24")];
      for (const node of cluster.nodes.values()) {
        const own = node.name === "node1" ? podCidrs : cluster.records.get(node.name)!.pods;
        cluster.nodes.set(node.name, { ...node, podCidrs: own });
      }
      const { config } = cluster.view;
      return { view: { ...cluster.view, config: { ...config!, nodePrefixes: "kubernetes" } } };
    },
    [["node1", "and Kubernetes gives 10.244.1.0/24"]],
  ],
  [
    "the configuration is gone",
    (cluster) => ({ view: { ...cluster.view, config: undefined } }),
    [["config", "not in the store"]],
  ],
  [
    "an agent is not heard",
    (cluster) => void cluster.agents.delete("node2"),
    [["node2", "Its agent does not run"]],
  ],
  [
    "an agent died on this machine",
    (cluster) => {
      cluster.vswitch("node2", { statusSocket: "/s2" });
      return { silent: new Map([["/s2", "refused"]]) };
    },
    [["node2", "does not answer on /s2: refused"]],
  ],
  [
    "VPP is away",
    (cluster) =>
      cluster.agent("node2", {
        vppConnected: false,
        vpp: "",
        unavailable: "VPP is away: no socket",
      }),
    [["node2", "told the store: VPP is away: no socket"]],
  ],
  [
    "VPP is away, as its agent says here before the store does",
    () => ({
      agents: [{
        node: "node2",
        joined: true,
        unavailable: "VPP is away: no socket",
        vppConnected: false,
        failed: [],
      }],
    }),
    [["node2", "Its agent: VPP is away: no socket"]],
  ],
  [
    "an agent waits to be let in again",
    () => ({
      agents: [{
        node: "node2",
        joined: false,
        unavailable: "the cluster is not joined yet: its ID is held",
        vppConnected: false,
        failed: [],
      }],
    }),
    [["node2", "takes no pods: the cluster is not joined yet: its ID is held"]],
  ],
  [
    "items failed",
    (cluster) =>
      cluster.agent("node2", {
        failed: [{ key: "vpp-route/x", error: "no memory" }],
        failedCount: 5,
      }),
    [["node2", "vpp-route/x (no memory) and 2 more"]],
  ],
  [
    "an agent does not know all nodes",
    (cluster) => cluster.agent("node1", { peers: 1 }),
    [["node1", "joined 1 other nodes, and there are 2"]],
  ],
  [
    "MTUs differ",
    (cluster) => {
      cluster.vswitch("node3", { uplinkMtu: 9000, podMtu: 8950 });
      cluster.connection(2, { mtu: 8950 });
    },
    [["node3", "pods' MTU is 8950, that of most nodes 1450"]],
  ],
  [
    "a pod has a former MTU",
    (cluster) => cluster.connection(0, { mtu: 1500 }),
    [["default/p1", "Its MTU is 1500"]],
  ],
  [
    "two uplinks have one address",
    (cluster) => cluster.record("node2", { uplink: cluster.records.get("node1")!.uplink }),
    [["node1, node2", "192.168.16.1"]],
  ],
  [
    "two connections have one address",
    (cluster) => {
      const { addresses } = cluster.connections[0]!;
      cluster.connection(1, { addresses: [addresses[0]!] });
      cluster.pods.splice(1, 1);
    },
    [["10.1.1.2", "default/p1 on node1 and default/p2 on node2"], [
      "default/p2",
      "not within the prefixes of node2",
    ]],
  ],
  [
    "two pods have one address",
    (cluster) => {
      const { addresses } = cluster.pods[0]!;
      cluster.pods.push({ ...cluster.pods[0]!, name: "other", addresses: [addresses[0]!] });
    },
    [["10.1.1.2", "default/other and default/p1"]],
  ],
  [
    "a pod has no address",
    (cluster) => cluster.pod(0, { addresses: [] }),
    [["default/p1", "runs on node1 and has no address"]],
  ],
  [
    "a pod's address is not its node's",
    (cluster) => cluster.pod(0, { addresses: [IpAddress.parse("10.88.0.3")] }),
    [["default/p1", "does not know its address 10.88.0.3"]],
  ],
  [
    "a connection is stuck",
    (cluster) => cluster.connection(0, { state: "adding" }),
    [["default/p1", "for more than a minute"]],
  ],
  [
    "hosts do not reach each other",
    (cluster) => ({
      echoes: [...cluster.vswitches.get("node2")!.host].map((address) => ({
        from: "node1",
        to: "node2",
        address,
        answered: false,
      })),
    }),
    [["node1", "no echo from node2 (172.30.2.2, fd10:2::8000:202)"]],
  ],
];

for (const [fault, make, wanted] of CASES) {
  Deno.test(`it is found, and nothing else, that ${fault}`, () => {
    const cluster = new FakeCluster(3);
    const change = make(cluster) ?? {};
    const findings = diagnose(cluster.examination(change));
    assertEquals(findings.map(({ subject }) => subject), wanted.map(([subject]) => subject));
    for (const [i, [, problem]] of wanted.entries()) {
      assert(findings[i]!.problem.includes(problem), findings[i]!.problem);
      assert(/^[A-Z].*\.$/s.test(findings[i]!.remedy), findings[i]!.remedy);
    }
  });
}

Deno.test("many faults of one sort are told by their number", () => {
  const cluster = new FakeCluster(1);
  const [pod] = cluster.pods;
  for (let i = 0; i < 100; i++) cluster.pods.push({ ...pod!, name: `x${i}`, addresses: [] });
  const findings = diagnose(cluster.examination());
  assertEquals([findings.length, findings.at(-1)?.subject], [21, "... and 80 more"]);
});
