import { assertEquals, assertThrows } from "@contiv/assert";
import { applyObjects, type Change, deleteObjects, scaleObject } from "./changes.ts";
import { reconcile } from "./controllers.ts";
import { InputError } from "./input_error.ts";
import { recordOf } from "./objects.ts";
import { chance, given, nodes, places, workload } from "./testing.ts";

const NODES = ["node1", "node2"];
const said = ({ outcomes }: Change): string[] =>
  outcomes.map(({ title, what }) => `${title} ${what}`);

function problems(text: string, objects: Change["objects"] = []): string {
  const error = assertThrows(() => applyObjects(objects, given(text), NODES), InputError);
  return error.message.split("\n").slice(1).map((line) => line.trim()).join("\n");
}

Deno.test("what is applied is created, unchanged or configured, and deleted once", () => {
  const text = workload("Deployment", { replicas: 2 });
  const first = applyObjects([], given(text), NODES);
  assertEquals(said(first), ["deployment.apps/web created"]);
  assertEquals(said(applyObjects(first.objects, given(text), NODES)), [
    "deployment.apps/web unchanged",
  ]);
  const more = applyObjects(first.objects, given(workload("Deployment", { replicas: 3 })), NODES);
  assertEquals(said(more), ["deployment.apps/web configured"]);
  const gone = deleteObjects(more.objects, given(text));
  assertEquals(said(gone), ["deployment.apps/web deleted"]);
  assertEquals(said(deleteObjects(gone.objects, given(text))), ["deployment.apps/web not found"]);
});

Deno.test("what a manifest leaves open stays: replicas, a pod's node, a service's addresses", () => {
  const open = `${workload("Deployment")}
---
{ apiVersion: v1, kind: Pod, metadata: { name: a, labels: { x: "1" } }, spec: { containers: [] } }
---
{ apiVersion: v1, kind: Service, metadata: { name: s },
  spec: { type: NodePort, ipFamilyPolicy: PreferDualStack, ports: [{ port: 80 }] } }
`;
  const first = applyObjects([], given(open), NODES).objects;
  const wanted = { namespace: "default", reference: "deployments/web", replicas: 3 };
  const scaled = scaleObject(first, wanted);
  assertEquals(said(scaled), ["deployment.apps/web scaled"]);
  const settled = reconcile(scaled.objects, nodes(true, true), chance());
  const again = applyObjects(settled, given(open), NODES);
  assertEquals(said(again), [
    "deployment.apps/web unchanged",
    "pod/a unchanged",
    "service/s unchanged",
  ]);
  assertEquals(places(reconcile(again.objects, nodes(true, true), chance())), places(settled));
  const other = given(open.replace('x: "1"', 'x: "2"'));
  assertEquals(said(applyObjects(settled, other, NODES))[1], "pod/a configured");
});

Deno.test("services get addresses and node ports that nobody has", () => {
  const service = (name: string, spec: string): string =>
    `{ apiVersion: v1, kind: Service, metadata: { name: ${name} }, spec: ${spec} }`;
  const { objects } = applyObjects(
    [],
    given([
      service("a", "{ ports: [{ port: 1 }] }"),
      service(
        "b",
        "{ type: NodePort, ipFamilies: [IPv6, IPv4], ports: [{ port: 1 }, { port: 2 }] }",
      ),
      service("c", "{ clusterIP: None, ports: [{ port: 1 }] }"),
      service("d", "{ type: LoadBalancer, ports: [{ port: 1, nodePort: 30001 }, { port: 2 }] }"),
      service("e", "{ type: ExternalName, externalName: x.y }"),
    ].join("\n---\n")),
    NODES,
  );
  const facts = objects.map(({ manifest }) => {
    const { clusterIPs = [], ports = [] } = recordOf(manifest["spec"]);
    const nodePorts = (ports as { nodePort?: number }[]).map(({ nodePort }) => nodePort);
    return [...clusterIPs as string[], ...nodePorts.filter((each) => each !== undefined)].join(" ");
  });
  assertEquals(facts, [
    "10.96.0.16",
    "fd10:96::10 10.96.0.17 30000 30001",
    "",
    "10.96.0.18 30001 30002",
    "",
  ]);
});

Deno.test("a namespace takes along what is in it, and has to be there first", () => {
  const namespace = "{ apiVersion: v1, kind: Namespace, metadata: { name: shop } }";
  const pod = "{ apiVersion: v1, kind: Pod, metadata: { name: a, namespace: shop } }";
  assertEquals(
    problems(pod),
    't.yaml, document 1 (line 1): pod/a: metadata.namespace: "shop", a namespace that there is wanted',
  );
  const { objects } = applyObjects([], given(`${pod}\n---\n${namespace}`), NODES);
  assertEquals(deleteObjects(objects, given(namespace)).objects, []);
});

Deno.test("what cannot be is refused by its field, and nothing is taken in", () => {
  const pod = (spec: string): string =>
    `{ apiVersion: v1, kind: Pod, metadata: { name: a }, spec: ${spec} }`;
  const where = "t.yaml, document 1 (line 1): pod/a";
  assertEquals(
    problems(pod("{ nodeName: node9 }")),
    `${where}: spec.nodeName: "node9", one of node1, node2 wanted`,
  );
  const { objects } = applyObjects([], given(pod("{ containers: [] }")), NODES);
  assertEquals(
    problems(pod("{ nodeName: node1 }"), objects),
    `${where}: spec: changed, the same as before wanted: delete the pod first`,
  );
  assertEquals(
    problems("{ apiVersion: v1, kind: Node, metadata: { name: node9 } }"),
    't.yaml, document 1 (line 1): node/node9: metadata.name: "node9", one of node1, node2 wanted',
  );
  const web = applyObjects([], given(workload("Deployment")), NODES).objects;
  const changed = workload("Deployment").replaceAll("app: web", "app: other");
  assertEquals(
    problems(changed, web),
    "t.yaml, document 1 (line 2): deployment.apps/web: spec.selector: " +
      '{"matchLabels":{"app":"other"}}, {"matchLabels":{"app":"web"}} as before wanted',
  );
});

Deno.test("what cannot be scaled is told with what there is", () => {
  const text = ["Deployment", "ReplicaSet"].map((kind) => workload(kind)).join("---");
  const all = `${text}---${workload("DaemonSet", { name: "each" })}`;
  const { objects } = applyObjects([], given(all), NODES);
  const scale = (reference: string): string =>
    assertThrows(
      () => scaleObject(objects, { namespace: "default", reference, replicas: 1 }),
      Error,
    ).message;
  assertEquals(
    scale("web"),
    'Cannot scale "web": several in namespace default, where there are deployment.apps/web, ' +
      "replicaset.apps/web",
  );
  assertEquals(scale("ds/each"), "Cannot scale daemonset.apps/each: it has one pod on each node");
  assertEquals(
    scale("sts/web"),
    'Cannot scale "sts/web": no such workload in namespace default, where there are ' +
      "deployment.apps/web, replicaset.apps/web, daemonset.apps/each",
  );
  assertEquals(
    said(scaleObject(objects, { namespace: "default", reference: "rs/web", replicas: 0 })),
    ["replicaset.apps/web scaled"],
  );
});
