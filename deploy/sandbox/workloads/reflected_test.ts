import { assertEquals } from "@contiv/assert";
import { applyObjects } from "./changes.ts";
import { reconcile } from "./controllers.ts";
import { recordOf } from "./objects.ts";
import { reflectedFiles } from "./reflected.ts";
import { chance, given, nodes, workload } from "./testing.ts";

const NODES = [
  { name: "node1", address: "192.168.100.1", up: true },
  { name: "node2", address: "192.168.100.2", up: false },
];

Deno.test("KSR gets pods with what kubelets write, and no workloads", () => {
  const text = `${workload("StatefulSet", { replicas: 3 })}
---
{ apiVersion: v1, kind: Node, metadata: { name: node2, labels: { zone: x } } }`;
  const { objects } = applyObjects([], given(text), ["node1", "node2"]);
  const placed = reconcile(objects, nodes(true, true), chance());
  const files = reflectedFiles(
    placed,
    NODES,
    ({ metadata: { name } }) =>
      name === "web-2" ? [] : [`10.1.1.${name.at(-1)}`, `fd10:1::${name.at(-1)}`],
  );
  assertEquals([...files.keys()], [
    "node1.json",
    "node2.json",
    "pods.default.web-0.json",
    "pods.default.web-1.json",
    "pods.default.web-2.json",
  ]);
  const status = (file: string): Readonly<Record<string, unknown>> =>
    recordOf(files.get(file)?.["status"]);
  const conditions = (scheduled: string, ready: string) => [
    { type: "PodScheduled", status: scheduled },
    { type: "Ready", status: ready },
  ];
  assertEquals(status("pods.default.web-0.json"), {
    phase: "Running",
    conditions: conditions("True", "True"),
    hostIP: "192.168.100.1",
    podIP: "10.1.1.0",
    podIPs: [{ ip: "10.1.1.0" }, { ip: "fd10:1::0" }],
  });
  // Its node is down: services send nothing there.
  assertEquals(status("pods.default.web-1.json")["conditions"], conditions("True", "False"));
  assertEquals(status("pods.default.web-2.json"), {
    phase: "Pending",
    conditions: conditions("True", "False"),
  });
  assertEquals(files.get("node2.json"), {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "node2", labels: { zone: "x" } },
    status: {
      addresses: [
        { type: "InternalIP", address: "192.168.100.2" },
        { type: "Hostname", address: "node2" },
      ],
      conditions: [{ type: "Ready", status: "False" }],
    },
  });
});
