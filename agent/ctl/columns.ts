import type { ClusterObject, Kind, Selector } from "@contiv/model";

/** A kind's columns behind namespace and name. */
type Columns<T> = Readonly<Record<string, (object: T) => string>>;

const list = (values: readonly unknown[]): string => values.join(",");

const selector = ({ labels, expressions }: Selector): string =>
  list([
    ...Array.from(labels, ([key, value]) => `${key}=${value}`),
    ...expressions.map(({ key, operator, values }) => `${key} ${operator} (${values.join(" ")})`),
  ]) || "<all>";

const COLUMNS: { readonly [K in Kind]: Columns<ClusterObject<K>> } = {
  namespaces: {
    LABELS: ({ labels }) => list(Array.from(labels, ([key, value]) => `${key}=${value}`)),
  },
  nodes: {
    INTERNAL: ({ internal }) => list(internal),
    EXTERNAL: ({ external }) => list(external),
    PODCIDRS: ({ podCidrs }) => list(podCidrs),
  },
  pods: {
    PHASE: ({ phase }) => phase,
    NODE: ({ node }) => node ?? "",
    ADDRESSES: ({ hostNetwork, addresses }) => hostNetwork ? "<host>" : list(addresses),
  },
  services: {
    TYPE: ({ type, headless }) => headless ? "headless" : type,
    "CLUSTER-IPS": ({ clusterIps }) => list(clusterIps),
    "EXTERNAL-IPS": ({ externalIps, loadBalancer }) =>
      list([...externalIps, ...loadBalancer.map(({ address }) => address)]),
    PORTS: ({ ports }) =>
      list(
        ports.map(({ port, nodePort, protocol }) =>
          `${port}${nodePort === undefined ? "" : `:${nodePort}`}/${protocol}`
        ),
      ),
  },
  endpointslices: {
    SERVICE: ({ service }) => service,
    PORTS: ({ ports }) => list(ports.map(({ port, protocol }) => `${port ?? "*"}/${protocol}`)),
    ENDPOINTS: ({ endpoints }) =>
      list(endpoints.slice(0, 4).map(({ address, ready }) => `${address}${ready ? "" : "(-)"}`)) +
      (endpoints.length > 4 ? `,+${endpoints.length - 4}` : ""),
  },
  networkpolicies: {
    PODS: ({ pods }) => selector(pods),
    INGRESS: ({ ingress }) => ingress === undefined ? "-" : `${ingress.length} rules`,
    EGRESS: ({ egress }) => egress === undefined ? "-" : `${egress.length} rules`,
  },
};

/** The head of a kind's table. */
export function headOf(kind: Kind): string[] {
  const names = kind === "namespaces" || kind === "nodes" ? ["NAME"] : ["NAMESPACE", "NAME"];
  return [...names, ...Object.keys(COLUMNS[kind])];
}

/** An object's row in its kind's table. */
export function rowOf<K extends Kind>(kind: K, object: ClusterObject<K>): string[] {
  const named: { readonly namespace?: string; readonly name: string } = object;
  const names = named.namespace === undefined ? [named.name] : [named.namespace, named.name];
  const columns: Columns<ClusterObject<K>> = COLUMNS[kind];
  return [...names, ...Object.values(columns).map((column) => column(object))];
}
