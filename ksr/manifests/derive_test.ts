import { ConversionError, convert, readManifests } from "@contiv/kubernetes";
import { assert, assertEquals } from "@contiv/assert";
import { KINDS, objectId } from "@contiv/model";
import fc from "fast-check";
import { parse } from "yaml";
import { spoil, spoilings } from "@contiv/kubernetes/convert/testing.ts";
import { derive } from "./derive.ts";

const cluster = (text: string): ReturnType<typeof derive> =>
  derive(text.split("---\n").flatMap((each) => readManifests(parse(each))), () => {});

Deno.test("a Deployment becomes pods over the nodes, and a service's slices tell of them", () => {
  const state = cluster(`
apiVersion: v1
kind: NodeList
items:
- {apiVersion: v1, kind: Node, metadata: {name: n1, labels: {topology.kubernetes.io/zone: z1}}}
- {apiVersion: v1, kind: Node, metadata: {name: n2}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, annotations: {contiv.io/pod-addresses: "10.1.0.0/24, fd00::/120"}}
spec:
  replicas: 3
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, clusterIP: 10.96.0.5, ports: [{port: 80, targetPort: http}]}
`);
  const pods = state.get("pods")?.map((each) => convert("pods", each, () => {}));
  assertEquals(pods?.map((each) => [each?.name, each?.node, each?.addresses.map(String)]), [
    ["web-0", "n1", ["10.1.0.1", "fd00::1"]],
    ["web-1", "n2", ["10.1.0.2", "fd00::2"]],
    ["web-2", "n1", ["10.1.0.3", "fd00::3"]],
  ]);
  const slices = state.get("endpointslices")?.map((each) =>
    convert("endpointslices", each, () => {})
  );
  assertEquals(slices?.map((each) => [each?.family, each?.service, each?.ports[0]?.port]), [
    [4, "web", 8080],
    [6, "web", 8080],
  ]);
  const [first, second] = slices?.[0]?.endpoints ?? [];
  assertEquals([String(first?.address), first?.ready, first?.node, first?.zone, first?.pod?.name], [
    "10.1.0.1",
    true,
    "n1",
    "z1",
    "web-0",
  ]);
  assertEquals([second?.node, second?.zone], ["n2", undefined]);
  assertEquals(state.get("namespaces")?.map(({ metadata }) => metadata), [
    { name: "shop", labels: { "kubernetes.io/metadata.name": "shop" } },
  ]);
});

Deno.test("a pod's own manifest takes the place of the derived one; readiness is its condition's", () => {
  const service = (more: string): string => `
apiVersion: v1
kind: Service
metadata: {name: s}
spec: {selector: {app: a}, ports: [{port: 80}]${more}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: w, annotations: {contiv.io/pod-addresses: 10.1.0.0/24}}
spec: {replicas: 4, template: {metadata: {labels: {app: a}}}}
---
apiVersion: v1
kind: Pod
metadata: {name: w-0, labels: {app: a}}
status: {phase: Running, podIP: 10.9.9.9, conditions: [{type: Ready, status: "False"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: w-1, labels: {app: a}}
status: {phase: Succeeded, podIP: 10.9.9.8}
---
apiVersion: v1
kind: Pod
metadata: {name: w-2, labels: {app: a}, deletionTimestamp: "2020-01-01T00:00:00Z"}
status: {phase: Running, podIP: 10.9.9.7}
`;
  const endpoints = (text: string): unknown =>
    cluster(text).get("endpointslices")?.flatMap((each) =>
      convert("endpointslices", each, () => {})?.endpoints.map((one) =>
        `${one.address} ${one.ready} ${one.serving} ${one.terminating}`
      )
    );
  assertEquals(endpoints(service("")), [
    "10.9.9.9 false false false",
    "10.9.9.7 false true true",
    "10.1.0.4 true true false",
  ]);
  assertEquals(endpoints(service(", publishNotReadyAddresses: true")), [
    "10.9.9.9 true false false",
    "10.9.9.7 true true true",
    "10.1.0.4 true true false",
  ]);
});

Deno.test("a DaemonSet has a pod on each node; services without selector get no slice", () => {
  const state = cluster(`
{apiVersion: v1, kind: Node, metadata: {name: n1}}
---
{apiVersion: v1, kind: Node, metadata: {name: n2}}
---
{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: d}, spec: {template: {}}}
---
{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 1}]}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: ignored}}
`);
  assertEquals(state.get("pods")?.map(({ metadata }) => metadata.name), ["d-n1", "d-n2"]);
  assertEquals(state.get("endpointslices"), []);
});

Deno.test("no manifests make the derivation fail otherwise than it says (seeded)", () => {
  const seed = [
    { apiVersion: "v1", kind: "Node", metadata: { name: "n1", labels: { a: "b" } } },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "d", annotations: { "contiv.io/pod-addresses": "10.1.0.0/24,fd00::/120" } },
      spec: {
        replicas: 3,
        template: {
          metadata: { labels: { app: "a" } },
          spec: { containers: [{ name: "c", ports: [{ name: "web", containerPort: 80 }] }] },
        },
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "s" },
      spec: { selector: { app: "a" }, ports: [{ port: 80, targetPort: "web" }] },
    },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "d-1", labels: { app: "a" } },
      status: { podIPs: [{ ip: "10.1.0.9" }], conditions: [{ type: "Ready", status: "True" }] },
    },
  ];
  const [refused, slices] = [new Set<string>(), new Set<string>()];
  fc.assert(
    fc.property(spoilings, (changes) => {
      const spoilt = spoil({ apiVersion: "v1", kind: "List", items: seed }, changes);
      let manifests: ReturnType<typeof readManifests>;
      try {
        manifests = readManifests(spoilt);
      } catch (error) {
        assert(error instanceof TypeError && error.message.endsWith("wanted"), String(error));
        refused.add(error.message);
        return;
      }
      const derived = derive(manifests, ({ message }) => assert(message.includes(" wanted")));
      for (const kind of KINDS) {
        for (const each of derived.get(kind) ?? []) {
          try {
            const object = convert(kind, each, () => {});
            if (object !== undefined) assertEquals(objectId(object), objectId(each.metadata));
            if (kind === "endpointslices") slices.add(JSON.stringify(each));
          } catch (error) {
            if (!(error instanceof ConversionError)) throw error;
          }
        }
      }
    }),
    { numRuns: 5_000, seed: 7 },
  );
  assert(refused.size > 4 && slices.size > 10, `${refused.size} refused, ${slices.size} slices`);
});
