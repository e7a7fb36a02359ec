import { assertEquals, assertThrows } from "@contiv/assert";
import { IpAddress, IpPrefix } from "@contiv/net";
import fc from "fast-check";
import { CLUSTER_PREFIX } from "./keys.ts";
import { ModelError } from "./model_error.ts";
import type { VswitchAgent } from "./vswitch_agent.ts";
import type { VswitchNode } from "./vswitch_node.ts";
import { VSWITCH_POD_STATES, type VswitchPod } from "./vswitch_pod.ts";
import {
  decodeVswitchAgent,
  decodeVswitchNode,
  decodeVswitchPod,
  encodeVswitchAgent,
  encodeVswitchNode,
  encodeVswitchPod,
  parseVswitchKey,
  VSWITCH_PREFIX,
  vswitchAgentKey,
  vswitchNodeKey,
  vswitchPodKey,
} from "./vswitch_state.ts";

const name = fc.stringMatching(/^[a-z][a-z0-9.-]{0,8}$/);
const count = fc.nat();
const address = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
).map(IpAddress.from);
const prefix = address.map((each) => IpPrefix.of(each, each.family === 4 ? 24 : 120));
const some = <T>(each: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(each, { maxLength: 3 });

const pods: fc.Arbitrary<VswitchPod> = fc.record({
  node: name,
  id: name,
  network: name,
  containerId: name,
  ifname: name,
  state: fc.constantFrom(...VSWITCH_POD_STATES),
  netns: name,
  inode: name,
  boot: name,
  addresses: some(address),
  mac: name,
  mtu: fc.integer({ min: 68, max: 9000 }),
  rank: fc.nat(9),
  createdAt: count,
  pod: fc.record({ namespace: name, name, uid: fc.string() }, { noNullPrototype: true }),
  interface: fc.record({ index: count, device: fc.string() }, { noNullPrototype: true }),
}, {
  noNullPrototype: true,
  requiredKeys: [
    ...["node", "id", "network", "containerId", "ifname", "state", "netns", "inode", "boot"],
    ...["addresses", "mac", "mtu", "rank", "createdAt"],
  ] as never,
});

const nodes: fc.Arbitrary<VswitchNode> = fc.record({
  name,
  id: fc.integer({ min: 1, max: 0xffff }),
  transport: fc.constantFrom<("vxlan" | "none")[]>("vxlan", "none"),
  device: fc.string(),
  uplinkMtu: fc.integer({ min: 68, max: 9000 }),
  podMtu: fc.integer({ min: 68, max: 9000 }),
  pods: some(prefix),
  host: some(address),
  overlay: some(prefix),
  uplink: some(prefix),
  gateways: some(address),
  statusSocket: name,
}, { noNullPrototype: true });

const agents: fc.Arbitrary<VswitchAgent> = fc.record({
  node: name,
  pid: count,
  startedAt: count,
  unavailable: fc.string(),
  conflict: fc.string(),
  vppConnected: fc.boolean(),
  vpp: fc.string(),
  peers: count,
  failed: some(fc.record({ key: name, error: fc.string() }, { noNullPrototype: true })),
  failedCount: count,
}, { noNullPrototype: true });

Deno.test("what an agent tells is read back, and equal values are written equally", () => {
  fc.assert(fc.property(pods, (pod) => {
    const text = encodeVswitchPod(pod);
    const back = decodeVswitchPod(pod.node, pod.id, text);
    assertEquals([back, encodeVswitchPod(back)], [pod, text]);
  }));
  fc.assert(fc.property(nodes, (node) => {
    const text = encodeVswitchNode(node);
    const back = decodeVswitchNode(node.name, new TextEncoder().encode(text));
    assertEquals([back, encodeVswitchNode(back)], [node, text]);
  }));
  fc.assert(fc.property(agents, (agent) => {
    const text = encodeVswitchAgent(agent);
    const back = decodeVswitchAgent(agent.node, text);
    assertEquals([back, encodeVswitchAgent(back)], [agent, text]);
  }));
});

Deno.test("a key of an agent's tells node and connection, and other keys are nobody's", () => {
  assertEquals(parseVswitchKey(vswitchNodeKey("n1")), { type: "node", node: "n1" });
  assertEquals(parseVswitchKey(vswitchAgentKey("n1")), { type: "agent", node: "n1" });
  assertEquals(parseVswitchKey(vswitchPodKey("n1", "ab")), { type: "pod", node: "n1", id: "ab" });
  for (
    const end of ["", "n1", "/node", "n1/pods", "n1/pods/", "n1/pods/a/b", "n1/other", "n1/node/a"]
  ) {
    assertEquals(parseVswitchKey(VSWITCH_PREFIX + end), undefined, end);
  }
  assertEquals(VSWITCH_PREFIX.startsWith(CLUSTER_PREFIX), false, "every agent would follow it");
});

Deno.test("what an agent could not mean is refused, with its path", () => {
  const pod =
    '"network":"contiv","containerId":"c","ifname":"eth0","netns":"/n","inode":"4","boot":"b",' +
    '"mac":"02:00:00:00:00:01","mtu":1450,"rank":0,"createdAt":1';
  assertEquals(decodeVswitchPod("n1", "ab", `{"v":1,${pod}}`).state, "ready");
  const cases = [
    [`{"v":2,${pod}}`, "vswitch/n1/pods/ab: v: 2, format version 1 wanted"],
    [`{"v":1,${pod},"state":"asleep"}`, "vswitch/n1/pods/ab: state: "],
    [`{"v":1,${pod.replace("1450", "1")}}`, "vswitch/n1/pods/ab: mtu: 1, "],
    [`{"v":1,${pod.replace('"4"', '""')}}`, "vswitch/n1/pods/ab: inode: "],
    [`{"v":1,${pod},"addresses":["10.1.1"]}`, "vswitch/n1/pods/ab: addresses[0]: "],
    ["{", "JSON in UTF-8"],
  ] as const;
  for (const [text, message] of cases) {
    assertThrows(() => decodeVswitchPod("n1", "ab", text), ModelError, message);
  }
});
