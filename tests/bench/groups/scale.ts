import {
  encodeNodeRecord,
  encodeObject,
  NO_LABELS,
  nodeIdKey,
  type NodeRecord,
  nodeRecordKey,
  objectKey,
  syncedKey,
} from "@contiv/model";
import { IpAddress, IpPrefix } from "@contiv/net";
import { EtcdStore, type Operation, type Store } from "@contiv/store";
import { VppClient } from "@contiv/vppapi";
import { vppChoice } from "../../support/requires.ts";
import { processUsage } from "../../support/process_usage.ts";
import { TestCluster } from "../../support/test_cluster.ts";
import { until } from "../../support/until.ts";
import type { Figure } from "../figure.ts";
import type { Group, GroupOptions } from "../group.ts";
import { quantile } from "../quantile.ts";

const ROUNDS = 3;
const CHANGES = 100;
const NODES = 5_000;
const PODS = 150_000;
/** Operations of a transaction. */
const BATCH = 100;
const LIMIT_MS = 600_000;
const NODE = "node1";

/** Subnets with room for so many nodes; the uplinks' stays, as the sandbox's fabric is on it. */
const WIDE = {
  podSubnets: ["10.0.0.0/9", "fd10:1::/64"],
  hostSubnets: ["10.128.0.0/10", "fd10:2::/64"],
  hostPrefixLengths: [28, 120],
  overlaySubnets: ["10.192.0.0/16", "fd10:3::/112"],
  serviceSubnets: ["10.200.0.0/16"],
};

/** What other nodes cost a node. */
export const scaleGroup: Group = {
  name: "scale",
  help:
    `a change in the store until the data plane has it; a start with ${NODES} nodes, ${PODS} pods; ` +
    "on the VPP of CONTIV_VPP",
  async run({ progress, rounds = ROUNDS, signal }: GroupOptions): Promise<Figure[]> {
    const dataPlane = vppChoice() ?? { kind: "embedded" };
    await using nodes = await TestCluster.start({ nodes: 1, dataPlane, config: WIDE });
    await nodes.killShared("ksr");
    await using store = EtcdStore.open({ endpoints: [`unix:${nodes.directory}/store.sock`] });
    progress(`${CHANGES} nodes join, one by one`);
    const joins = await measureJoins(nodes, store);
    progress(`${NODES} nodes and ${PODS} pods are written to the store`);
    await nodes.kill(NODE, "agent");
    await fill(store, signal);
    nodes.cluster.node(NODE).start("agent");
    await until("the node knows all", async () => await knownNodes(nodes) === NODES - 1, LIMIT_MS);
    const again: number[] = [];
    const anew: number[] = [];
    const memory: number[] = [];
    for (let round = 0; round < rounds; round++) {
      signal.throwIfAborted();
      progress(`starts, round ${round + 1}`);
      again.push(await restart(nodes, false));
      memory.push(processUsage(nodes.process(NODE, "agent").pid)?.residentMiB ?? NaN);
      anew.push(await restart(nodes, true));
    }
    const ours = (samples: readonly number[]): Figure["ours"] => ({
      name: dataPlane.kind === "vpp" ? "VPP" : "contiv vswitch",
      samples,
    });
    const row = { unit: "ms", better: "less" } as const;
    return [
      { ...row, what: "a node joins: store to tunnel", ours: ours(joins) },
      {
        ...row,
        what: `of ${CHANGES} of them, p99`,
        ours: ours([quantile(joins, 0.99)]),
        wanted: "below 50",
      },
      {
        ...row,
        what: `an agent starts among ${NODES} nodes`,
        ours: ours(again),
        wanted: "below 5,000",
      },
      { ...row, what: "and its data plane with it", ours: ours(anew) },
      { what: "the agent's memory", unit: "MiB", better: "less", ours: ours(memory) },
    ];
  },
};

/** Milliseconds from the write of a node's record until the data plane has the tunnel to it. */
async function measureJoins(nodes: TestCluster, store: Store): Promise<number[]> {
  const path = nodes.cluster.node(NODE).sockets.vpp;
  await using vpp = await VppClient.connect({ path, name: "bench" });
  const samples: number[] = [];
  for (let id = 2; id < 2 + CHANGES; id++) {
    const start = performance.now();
    await store.transact({ then: claim(recordOf(id)) });
    const name_filter = `vxlan_tunnel${id}`;
    for (;;) {
      const links = await vpp.dump("sw_interface_dump", { name_filter_valid: true, name_filter });
      if (links.some(({ interface_name }) => interface_name === name_filter)) break;
      if (performance.now() - start > LIMIT_MS) throw new Error(`${name_filter} never came`);
    }
    samples.push(performance.now() - start);
  }
  return samples;
}

/** Milliseconds from an agent's start until it is ready, with its data plane's if that died too. */
async function restart(nodes: TestCluster, withDataPlane: boolean): Promise<number> {
  const node = nodes.cluster.node(NODE);
  await nodes.kill(NODE, "agent");
  if (withDataPlane) await nodes.kill(NODE, "vswitch");
  const start = performance.now();
  if (withDataPlane) node.start("vswitch");
  node.start("agent");
  await nodes.untilReady(NODE);
  return performance.now() - start;
}

async function knownNodes(nodes: TestCluster): Promise<number> {
  return (await nodes.status<{ nodes: readonly string[] }>(NODE, "/network")).nodes.length;
}

async function fill(store: Store, signal: AbortSignal): Promise<void> {
  const encoder = new TextEncoder();
  const put = (key: string, text: string): Operation => ({
    type: "put",
    key,
    value: encoder.encode(text),
  });
  const operations = function* (): Iterable<Operation> {
    for (let id = 2; id <= NODES; id++) {
      const record = recordOf(id);
      yield* claim(record);
      const { name } = record;
      const node = { name, labels: NO_LABELS, internal: [], external: [], podCidrs: [] };
      yield put(objectKey("nodes", name), encodeObject("nodes", node));
    }
    for (let i = 0; i < PODS; i++) {
      const pod = {
        namespace: `ns${i % 100}`,
        name: `pod${i}`,
        labels: new Map([["app", `app${i % 1_000}`]]),
        node: `peer${2 + i % (NODES - 1)}`,
        phase: "Running" as const,
        addresses: [IpAddress.parse("10.0.0.0").add(BigInt(i))],
        hostNetwork: false,
        ports: [],
      };
      yield put(objectKey("pods", `${pod.namespace}/${pod.name}`), encodeObject("pods", pod));
    }
    yield put(syncedKey("nodes"), '{"v":1}');
    yield put(syncedKey("pods"), '{"v":1}');
  };
  let batch: Operation[] = [];
  for (const operation of operations()) {
    batch.push(operation);
    if (batch.length < BATCH) continue;
    signal.throwIfAborted();
    await store.transact({ then: batch });
    batch = [];
  }
  if (batch.length > 0) await store.transact({ then: batch });
}

function recordOf(id: number): NodeRecord {
  const pods = ["10.0.0.0/24", "fd10:1::/120"].map((text) => {
    const { address, length } = IpPrefix.parse(text);
    return IpPrefix.of(address.add(BigInt(id) << 8n), length);
  });
  const uplink = IpAddress.parse("198.18.0.0").add(BigInt(id));
  return { name: `peer${id}`, id, pods, uplink: [uplink] };
}

/** As a node claims its ID. */
function claim(record: NodeRecord): Operation[] {
  return [
    { type: "put", key: nodeIdKey(record.id), value: new TextEncoder().encode(record.name) },
    { type: "put", key: nodeRecordKey(record.name), value: encodeNodeRecord(record) },
  ];
}
