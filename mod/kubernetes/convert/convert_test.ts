import { assert, assertEquals, assertThrows } from "@contiv/assert";
import {
  type ClusterObject,
  decodeObject,
  encodeObject,
  type Kind,
  KINDS,
  objectId,
} from "@contiv/model";
import fc from "fast-check";
import { convert } from "./convert.ts";
import { ConversionError } from "./metadata.ts";
import { spoil, spoilings } from "./testing.ts";

const metadata = { namespace: "ns", name: "x" };

/** Converts, and gives the reports too. */
function read<K extends Kind>(
  kind: K,
  object: Record<string, unknown>,
): { object: ClusterObject<K> | undefined; reports: string[] } {
  const reports: string[] = [];
  const converted = convert(kind, { metadata, ...object }, (each) => reports.push(each));
  return { object: converted, reports };
}

/** The stored form, to compare with. */
function stored<K extends Kind>(kind: K, object: Record<string, unknown>): unknown {
  const converted = read(kind, object).object;
  if (converted === undefined) return undefined;
  const { v: _, ...fields } = JSON.parse(encodeObject(kind, converted)) as Record<string, unknown>;
  return fields;
}

Deno.test("a pod's addresses are its own, and only while it lives", async (t) => {
  const status = {
    phase: "Running",
    podIP: "10.1.0.2",
    podIPs: [{ ip: "10.1.0.2" }, { ip: "fd00::2" }],
  };
  const cases: [string, Record<string, unknown>, unknown][] = [
    ["both families", { status }, ["10.1.0.2", "fd00::2"]],
    ["podIP alone", { status: { phase: "Running", podIP: "10.1.0.2" } }, ["10.1.0.2"]],
    ["none yet", { status: { phase: "Pending", podIP: "" } }, undefined],
    ["Succeeded", { status: { ...status, phase: "Succeeded" } }, undefined],
    ["Failed", { status: { ...status, phase: "Failed" } }, undefined],
    ["on the host's network", { status, spec: { hostNetwork: true } }, undefined],
  ];
  for (const [name, object, wanted] of cases) {
    await t.step(name, () => {
      assertEquals((stored("pods", object) as Record<string, unknown>)["addresses"], wanted);
    });
  }
});

Deno.test("a pod's ports are those that have a name or a host port, sidecars' too", () => {
  const spec = {
    initContainers: [
      { ports: [{ name: "gone", containerPort: 1 }] },
      { restartPolicy: "Always", ports: [{ name: "side", containerPort: 2, protocol: "UDP" }] },
    ],
    containers: [{
      ports: [
        { containerPort: 3 },
        { containerPort: 4, hostPort: 40, hostIP: "127.0.0.1" },
        { name: "web", containerPort: 5 },
      ],
    }],
  };
  assertEquals((stored("pods", { spec }) as Record<string, unknown>)["ports"], [
    { name: "side", protocol: "UDP", port: 2 },
    { port: 4, hostPort: 40, hostIp: "127.0.0.1" },
    { name: "web", port: 5 },
  ]);
  assertEquals(
    (stored("pods", { spec: { ...spec, hostNetwork: true } }) as Record<string, unknown>)["ports"],
    [{ name: "side", protocol: "UDP", port: 2 }, { name: "web", port: 5 }],
  );
});

Deno.test("services, as Kubernetes means them", async (t) => {
  const ports = [{ port: 80, nodePort: 30080, targetPort: "web" }];
  const cluster = { clusterIPs: ["10.96.0.1"], ipFamilies: ["IPv4"] };
  const external = { externalIPs: ["192.0.2.1"] };
  const balanced = {
    loadBalancer: {
      ingress: [{ ip: "198.51.100.1" }, { hostname: "x" }, { ip: "198.51.100.2", ipMode: "Proxy" }],
    },
  };
  const base = { families: [4], clusterIps: ["10.96.0.1"], ports: [{ port: 80 }] };
  const cases: [string, Record<string, unknown>, unknown][] = [
    ["ClusterIP has no node port", { spec: { ...cluster, ports } }, base],
    ["NodePort", { spec: { ...cluster, ports, type: "NodePort" } }, {
      type: "NodePort",
      ...base,
      ports: [{ port: 80, nodePort: 30080 }],
    }],
    ["headless loses its external addresses", {
      spec: { ...external, clusterIP: "None", clusterIPs: ["None"], ipFamilies: ["IPv4"], ports },
    }, { headless: true, families: [4], ports: [{ port: 80 }] }],
    ["headless by label, whatever its value", {
      metadata: { ...metadata, labels: { "service.kubernetes.io/headless": "" } },
      spec: { ...cluster, ...external, ports },
    }, { headless: true, families: [4], ports: [{ port: 80 }] }],
    ["another proxy's by label", {
      metadata: { ...metadata, labels: { "service.kubernetes.io/service-proxy-name": "" } },
      spec: { ...cluster, ports },
    }, { foreign: true, ...base }],
    ["ExternalName loses all", {
      spec: { type: "ExternalName", externalName: "x", ...external, clusterIP: "" },
    }, { type: "ExternalName" }],
    ["LoadBalancer by its status, each address by its mode", {
      spec: {
        ...cluster,
        ports: [{ port: 80, nodePort: 0 }],
        type: "LoadBalancer",
        loadBalancerIP: "203.0.113.9",
        loadBalancerSourceRanges: [" 10.0.0.7/8 ", "fd00::/8"],
        externalTrafficPolicy: "Local",
        internalTrafficPolicy: "Local",
        healthCheckNodePort: 31000,
        sessionAffinity: "ClientIP",
      },
      status: balanced,
    }, {
      type: "LoadBalancer",
      ...base,
      loadBalancer: [{ address: "198.51.100.1" }, { address: "198.51.100.2", mode: "Proxy" }],
      externalPolicy: "Local",
      internalPolicy: "Local",
      sourceRanges: ["10.0.0.0/8", "fd00::/8"],
      affinitySeconds: 10_800,
      healthPort: 31_000,
    }],
    ["an empty list of source ranges lets everybody in", {
      spec: { ...cluster, type: "LoadBalancer", loadBalancerSourceRanges: [] },
    }, { type: "LoadBalancer", families: [4], clusterIps: ["10.96.0.1"] }],
    ["source ranges that cannot be read let nobody in", {
      spec: { ...cluster, type: "LoadBalancer", loadBalancerSourceRanges: ["all"] },
    }, { type: "LoadBalancer", families: [4], clusterIps: ["10.96.0.1"], sourceRanges: [] }],
    ["affinity with its own time", {
      spec: {
        ...cluster,
        sessionAffinity: "ClientIP",
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
      },
    }, { families: [4], clusterIps: ["10.96.0.1"], affinitySeconds: 60 }],
    ["addresses as old validation let them be", {
      spec: { clusterIPs: ["010.096.000.001"], externalIPs: ["::ffff:192.0.2.1", "bad"] },
    }, { families: [4], clusterIps: ["10.96.0.1"], externalIps: ["192.0.2.1"] }],
  ];
  for (const [name, object, wanted] of cases) {
    await t.step(name, () => assertEquals(stored("services", object), wanted));
  }
});

Deno.test("slices: whose they are, and what their conditions mean", async (t) => {
  const labels = { "kubernetes.io/service-name": "web" };
  const slice = (endpoint: Record<string, unknown>): Record<string, unknown> => ({
    metadata: { ...metadata, labels, ownerReferences: [{ name: "other" }] },
    addressType: "IPv4",
    ports: [{ name: "", port: 8080 }],
    endpoints: [{ addresses: ["10.1.0.2", "10.1.0.3"], ...endpoint }],
  });
  const conditions = async (given: Record<string, unknown>, wanted: unknown): Promise<void> => {
    await t.step(`conditions ${JSON.stringify(given)}`, () => {
      const [endpoint] = read("endpointslices", slice({ conditions: given })).object?.endpoints ??
        [];
      assertEquals([endpoint?.ready, endpoint?.serving, endpoint?.terminating], wanted);
    });
  };
  await conditions({}, [true, true, false]);
  await conditions({ ready: null }, [true, true, false]);
  await conditions({ ready: false }, [false, false, false]);
  await conditions({ ready: true, serving: false }, [true, false, false]);
  await conditions({ ready: false, serving: true, terminating: true }, [false, true, true]);
  await t.step("only the first address counts; hints and references are kept", () => {
    assertEquals(
      stored(
        "endpointslices",
        slice({
          nodeName: "n1",
          zone: "z1",
          hints: { forZones: [{ name: "z1" }], forNodes: [{ name: "n1" }] },
          targetRef: { kind: "Pod", namespace: "ns", name: "p" },
        }),
      ),
      {
        service: "web",
        family: 4,
        ports: [{ port: 8080 }],
        endpoints: [{
          address: "10.1.0.2",
          node: "n1",
          zone: "z1",
          zoneHints: ["z1"],
          nodeHints: ["n1"],
          pod: { namespace: "ns", name: "p" },
        }],
      },
    );
  });
  await t.step("no service, or host names: of no use", () => {
    assertEquals(stored("endpointslices", { addressType: "IPv4" }), undefined);
    assertEquals(stored("endpointslices", { ...slice({}), addressType: "FQDN" }), undefined);
  });
  await t.step("an address of the other family is left out", () => {
    const { object, reports } = read("endpointslices", slice({ addresses: ["fd00::1"] }));
    assertEquals([object?.endpoints, reports.length], [[], 1]);
  });
  await t.step("a port that cannot be read is not every port", () => {
    const ports = [{ name: "a", port: "http" }, { name: "b", port: null }];
    assertEquals((stored("endpointslices", { ...slice({}), ports }) as { ports: unknown }).ports, [
      { name: "b" },
    ]);
  });
});

Deno.test("policies, as Kubernetes means them", async (t) => {
  const policy = (spec: Record<string, unknown>): unknown =>
    stored("networkpolicies", { spec: { podSelector: {}, ...spec } });
  const cases: [string, Record<string, unknown>, unknown][] = [
    ["no types: ingress", {}, { pods: {}, ingress: [] }],
    ["no types, an egress rule: both", { egress: [{}] }, { pods: {}, ingress: [], egress: [{}] }],
    ["no types, no egress rule: ingress", { egress: [] }, { pods: {}, ingress: [] }],
    ["a direction that is not listed is ignored", {
      policyTypes: ["Egress"],
      ingress: [{}],
    }, { pods: {}, egress: [] }],
    ["empty lists mean everything", { ingress: [{ from: [], ports: [] }] }, {
      pods: {},
      ingress: [{}],
    }],
    ["one peer with both selectors, two peers with one each", {
      ingress: [{
        from: [
          { podSelector: { matchLabels: { a: "b" } }, namespaceSelector: {} },
          { podSelector: {} },
          {
            namespaceSelector: {
              matchExpressions: [{ key: "k", operator: "NotIn", values: ["v"] }],
            },
          },
        ],
      }],
    }, {
      pods: {},
      ingress: [{
        peers: [
          { pods: { labels: { a: "b" } }, namespaces: {} },
          { pods: {} },
          {
            pods: {},
            namespaces: { expressions: [{ key: "k", operator: "NotIn", values: ["v"] }] },
          },
        ],
      }],
    }],
    ["blocks, host bits cleared", {
      ingress: [{ from: [{ ipBlock: { cidr: "192.168.2.9/24", except: ["192.168.2.4/30"] } }] }],
    }, {
      pods: {},
      ingress: [{ peers: [{ block: "192.168.2.0/24", except: ["192.168.2.4/30"] }] }],
    }],
    ["ports: without protocol, empty, named, ranges", {
      ingress: [{
        ports: [
          {},
          { protocol: "UDP" },
          { port: 80 },
          { port: "dns", protocol: "UDP" },
          { port: 1000, endPort: 1999, protocol: "SCTP" },
        ],
      }],
    }, {
      pods: {},
      ingress: [{
        ports: [
          { all: true },
          { protocol: "UDP", all: true },
          { port: 80 },
          { protocol: "UDP", name: "dns" },
          { protocol: "SCTP", port: 1000, endPort: 1999 },
        ],
      }],
    }],
    ["what cannot be read lets nobody through", {
      ingress: [{
        from: [
          {},
          { ipBlock: { cidr: "x" } },
          { ipBlock: { cidr: "10.0.0.0/8", except: ["x"] } },
          { ipBlock: { cidr: "10.0.0.0/8" }, podSelector: {} },
          { podSelector: { matchExpressions: [{ key: "a", operator: "Near" }] } },
          { podSelector: { matchLabels: { a: 1 } } },
          { podSelector: "all" },
        ],
        ports: [
          { protocol: "QUIC" },
          { port: 70_000 },
          { port: 9, endPort: 8 },
          { port: "x", endPort: 8 },
          { endPort: 9 },
          { port: "" },
        ],
      }, { from: "all", ports: 80 }],
    }, { pods: {}, ingress: [{ peers: [], ports: [] }, { peers: [], ports: [] }] }],
  ];
  for (const [name, spec, wanted] of cases) {
    await t.step(name, () => assertEquals(policy(spec), wanted));
  }
  await t.step("a selector of its own that cannot be read: no policy is made of it", () => {
    assertThrows(() => policy({ podSelector: { matchLabels: 3 } }), ConversionError);
  });
});

Deno.test("nodes have their addresses by kind, and their prefixes", () => {
  const addresses = [
    { type: "Hostname", address: "n1" },
    { type: "InternalIP", address: "192.168.0.1" },
    { type: "ExternalIP", address: "198.51.100.1" },
    { type: "InternalIP", address: "fd00::1" },
  ];
  const labels = { "topology.kubernetes.io/zone": "z1" };
  const spec = { podCIDR: "10.1.1.0/24", podCIDRs: ["10.1.1.0/24", "fd00:1::/64"] };
  assertEquals(
    stored("nodes", { metadata: { name: "n1", labels }, spec, status: { addresses } }),
    {
      labels,
      internal: ["192.168.0.1", "fd00::1"],
      external: ["198.51.100.1"],
      podCidrs: ["10.1.1.0/24", "fd00:1::/64"],
    },
  );
});

Deno.test("names that keys cannot hold are refused", async (t) => {
  for (const name of ["", "a/b", "..", "a b", 3, undefined, "x".repeat(300)]) {
    await t.step(JSON.stringify(name) ?? "none", () => {
      const object = { metadata: { namespace: "ns", name } };
      assertThrows(() => convert("pods", object, () => {}), ConversionError, "an object's name");
    });
  }
});

const SAMPLES: readonly unknown[] = [{
  metadata: { ...metadata, labels: { "kubernetes.io/service-name": "s", a: "b" } },
  addressType: "IPv6",
  ports: [{ port: 80, protocol: "UDP", name: "x" }],
  endpoints: [{
    addresses: ["fd00::1"],
    conditions: { ready: false },
    hints: { forZones: [{ name: "z" }] },
  }],
  spec: {
    podSelector: { matchExpressions: [{ key: "a", operator: "In", values: ["b"] }] },
    ingress: [{
      from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } }],
      ports: [{ port: 1 }],
    }],
    policyTypes: ["Ingress"],
    containers: [{
      ports: [{ name: "web", containerPort: 80, hostPort: 8080, hostIP: "1.2.3.4" }],
    }],
    clusterIPs: ["10.96.0.1"],
    ports: [{ port: 80, nodePort: 30000 }],
    type: "LoadBalancer",
    loadBalancerSourceRanges: ["10.0.0.0/8"],
    podCIDRs: ["10.1.0.0/24"],
  },
  status: {
    phase: "Running",
    podIPs: [{ ip: "10.1.0.2" }],
    addresses: [{ type: "InternalIP", address: "10.0.0.1" }],
    loadBalancer: { ingress: [{ ip: "192.0.2.1", ipMode: "VIP" }] },
  },
}];

Deno.test("no API object makes the conversion fail otherwise than it says (seeded)", () => {
  let converted = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...SAMPLES),
      fc.constantFrom(...KINDS),
      spoilings,
      (sample, kind, changes) => {
        const object = spoil(sample, changes);
        try {
          const made = convert(kind, object, (message) => assert(message.includes(" wanted")));
          if (made === undefined) return;
          converted++;
          // What is made can be stored, and reads back as it was.
          assertEquals(decodeObject(kind, objectId(made), encodeObject(kind, made)), made);
        } catch (error) {
          if (!(error instanceof ConversionError)) throw error;
        }
      },
    ),
    { numRuns: 10_000, seed: 7 },
  );
  assert(converted > 5_000, `only ${converted} were converted`);
});
