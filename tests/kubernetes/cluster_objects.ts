import type { Kind } from "@contiv/model";
import type { ApiObject, KubeApiserver } from "./kube_apiserver.ts";

/** Labels by which tests tell one state of an object from another. */
const labelled = (name: string, state: string, namespace?: string): ApiObject["metadata"] => ({
  name,
  labels: { state },
  ...(namespace === undefined ? {} : { namespace }),
});

/** An object of a kind, which is different for each state, by its name in `default`. */
export function objectOf(kind: Kind, name: string, state: string): ApiObject {
  return OBJECTS[kind](name, state);
}

/** Puts such an object, its status too. */
export async function putObject(
  server: KubeApiserver,
  kind: Kind,
  name: string,
  state: string,
): Promise<void> {
  const object = objectOf(kind, name, state);
  await server.put(kind, object);
  if (object["status"] !== undefined) await server.putStatus(kind, object);
}

const OBJECTS: Readonly<Record<Kind, (name: string, state: string) => ApiObject>> = {
  namespaces: (name, state) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: labelled(name, state),
  }),
  nodes: (name, state) => ({
    apiVersion: "v1",
    kind: "Node",
    metadata: labelled(name, state),
    spec: { podCIDR: "10.1.1.0/24", podCIDRs: ["10.1.1.0/24"] },
    status: { addresses: [{ type: "InternalIP", address: "192.168.0.1" }] },
  }),
  pods: (name, state) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: labelled(name, state, "default"),
    spec: {
      nodeName: "n1",
      containers: [{ name: "c", image: "i", ports: [{ name: "web", containerPort: 8080 }] }],
    },
    status: { phase: "Running", podIP: "10.1.1.2", podIPs: [{ ip: "10.1.1.2" }] },
  }),
  services: (name, state) => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: labelled(name, state, "default"),
    spec: {
      type: "NodePort",
      selector: { app: "web" },
      ports: [{ name: "web", port: state.length + 80, targetPort: "web" }],
    },
  }),
  endpointslices: (name, state) => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name,
      namespace: "default",
      labels: { "kubernetes.io/service-name": "web" },
    },
    addressType: "IPv4",
    ports: [{ name: "web", port: 8080, protocol: "TCP" }],
    endpoints: [{ addresses: ["10.1.1.2"], conditions: { ready: state !== "old" }, zone: state }],
  }),
  networkpolicies: (name, state) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace: "default" },
    spec: {
      podSelector: { matchLabels: { state } },
      policyTypes: ["Ingress"],
      ingress: [{ from: [{ podSelector: {} }], ports: [{ port: "web" }] }],
    },
  }),
};
