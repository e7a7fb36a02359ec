import { assert, assertEquals, assertMatch } from "@contiv/assert";
import { applyObjects, deleteObjects, scaleObject } from "./changes.ts";
import { reconcile } from "./controllers.ts";
import type { Objects } from "./objects.ts";
import { chance, given, nodes, places, workload } from "./testing.ts";

const NAMES = ["node1", "node2", "node3"];
const THREE = nodes(true, true, true);

function applied(objects: Objects, text: string): Objects {
  return applyObjects(objects, given(text), NAMES).objects;
}

/** How many pods each node has. */
function spread(objects: Objects): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const place of places(objects)) {
    const node = place.replace(/.*@/, "");
    counts[node] = (counts[node] ?? 0) + 1;
  }
  return counts;
}

Deno.test("a deployment's pods are named as Kubernetes names them and spread over the nodes", () => {
  const objects = reconcile(applied([], workload("Deployment", { replicas: 6 })), THREE, chance());
  assertEquals(spread(objects), { node1: 2, node2: 2, node3: 2 });
  const [first] = objects.filter(({ type }) => type === "pods");
  const { labels, name, ownerReferences, uid } = first!.manifest.metadata;
  const { "pod-template-hash": hash } = labels as Record<string, string>;
  assertMatch(String(name), new RegExp(`^web-${hash}-[b-z2-9]{5}$`));
  assertEquals([ownerReferences, uid], [
    [{ apiVersion: "apps/v1", kind: "Deployment", name: "web", controller: true }],
    "uid-1",
  ]);
  assertEquals(new Set(places(objects)).size, 6);
});

Deno.test("what is as it should be stays as it is, for every kind of workload", async (t) => {
  for (const kind of ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"]) {
    await t.step(kind, () => {
      const first = reconcile(applied([], workload(kind)), THREE, chance());
      assertEquals(
        spread(first),
        kind === "DaemonSet" ? { node1: 1, node2: 1, node3: 1 } : { node1: 1 },
      );
      assertEquals(reconcile(first, THREE, chance()), first);
      const gone = deleteObjects(first, given(workload(kind))).objects;
      assertEquals(reconcile(gone, THREE, chance()), []);
    });
  }
});

Deno.test("a stateful set's pods have numbers, the highest go first", () => {
  const objects = reconcile(applied([], workload("StatefulSet", { replicas: 3 })), THREE, chance());
  assertEquals(places(objects), ["web-0@node1", "web-1@node2", "web-2@node3"]);
  const wanted = { namespace: "default", reference: "sts/web", replicas: 1 };
  const less = reconcile(scaleObject(objects, wanted).objects, THREE, chance());
  assertEquals(places(less), ["web-0@node1"]);
});

Deno.test("a changed template replaces pods, another change does not", async (t) => {
  for (const kind of ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"]) {
    await t.step(kind, () => {
      const luck = chance();
      const before = reconcile(applied([], workload(kind, { image: "a" })), THREE, luck);
      const same = reconcile(applied(before, workload(kind, { image: "a" })), THREE, luck);
      assertEquals(places(same), places(before));
      const after = reconcile(applied(before, workload(kind, { image: "b" })), THREE, luck);
      const uids = (objects: Objects): unknown[] =>
        objects.filter(({ type }) => type === "pods").map(({ manifest }) =>
          manifest.metadata["uid"]
        );
      assertEquals(uids(after).length, uids(before).length);
      assertEquals(uids(after).filter((uid) => uids(before).includes(uid)), []);
    });
  }
});

Deno.test("fewer replicas take pods from nodes that are down, then from those with most", () => {
  const luck = chance();
  const six = reconcile(applied([], workload("Deployment", { replicas: 6 })), THREE, luck);
  const scaled = (objects: Objects, replicas: number): Objects =>
    scaleObject(objects, { namespace: "default", reference: "web", replicas }).objects;
  const down = nodes(true, false, true);
  const four = reconcile(scaled(six, 4), down, luck);
  assertEquals(spread(four), { node1: 2, node3: 2 });
  assertEquals(spread(reconcile(scaled(four, 2), down, luck)), { node1: 1, node3: 1 });
  assertEquals(spread(reconcile(scaled(four, 5), down, luck)), { node1: 3, node3: 2 });
});

Deno.test("pods of a node that is down stay, those of one that is gone are made elsewhere", () => {
  const luck = chance();
  const pod = "{ apiVersion: v1, kind: Pod, metadata: { name: alone }, spec: { nodeName: node3 } }";
  const text = `${workload("Deployment", { replicas: 3 })}---\n${pod}`;
  const objects = reconcile(applied([], text), THREE, luck);
  assertEquals(places(reconcile(objects, nodes(true, true, false), luck)), places(objects));
  const without = reconcile(objects, nodes(true, true), luck);
  assertEquals(Object.keys(spread(without)).sort(), ["node1", "node2"]);
  assertEquals(places(without).length, 3);
});

Deno.test("a daemon set follows its nodes' labels, and nodes that come", () => {
  const luck = chance();
  const spec = "{ nodeSelector: { disk: fast } }";
  const label = (node: string): string =>
    `{ apiVersion: v1, kind: Node, metadata: { name: ${node}, labels: { disk: fast } } }`;
  const objects = applied([], `${workload("DaemonSet", { spec })}---\n${label("node2")}`);
  const labelled = THREE.map((node) =>
    node.name === "node2" ? { ...node, labels: { disk: "fast" } } : node
  );
  const placed = reconcile(objects, labelled, luck);
  assertEquals(spread(placed), { node2: 1 });
  const fourth = { name: "node4", labels: { disk: "fast" }, up: true };
  assertEquals(spread(reconcile(placed, [...labelled, fourth], luck)), { node2: 1, node4: 1 });
});

Deno.test("a node's name and the host name label are honoured, and pods wait for such a node", () => {
  const text = `
{ apiVersion: v1, kind: Pod, metadata: { name: a }, spec: { nodeName: node3 } }
---
{ apiVersion: v1, kind: Pod, metadata: { name: b },
  spec: { nodeSelector: { kubernetes.io/hostname: node2 } } }
---
{ apiVersion: v1, kind: Pod, metadata: { name: c }, spec: { nodeSelector: { disk: fast } } }
`;
  const objects = reconcile(applied([], text), nodes(true, false, true), chance());
  assertEquals(places(objects), ["a@node3", "b@nowhere", "c@nowhere"]);
  const later = reconcile(objects, THREE, chance());
  assertEquals(places(later), ["a@node3", "b@node2", "c@nowhere"]);
});

Deno.test("a pod of somebody else's is in the way of a stateful set, and is left alone", () => {
  const pod = "{ apiVersion: v1, kind: Pod, metadata: { name: web-0 } }";
  const text = `${pod}\n---\n${workload("StatefulSet", { replicas: 2 })}`;
  const objects = reconcile(applied([], text), THREE, chance());
  assert(places(objects).includes("web-1@node2"), places(objects).join());
  assertEquals(places(objects).length, 2);
});
