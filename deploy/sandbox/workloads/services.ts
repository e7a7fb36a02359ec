import { DEFAULT_CLUSTER_CONFIG } from "@contiv/model";
import { type Family, IpAddress } from "@contiv/net";
import { listOf, type Objects, recordOf } from "./objects.ts";

/** Where Kubernetes gives services node ports from. */
const NODE_PORTS = { first: 30_000, last: 32_767 };
/** Kubernetes gives the first addresses only to who asks for them. */
const FIRST = 16n;

/**
 * A service's specification with what the API server fills in: a cluster address of each family that
 * is wanted, and node ports. What it had before it keeps.
 *
 * @param live the other objects
 * @throws {Error} if a range is used up
 */
export function withAddresses(
  spec: Readonly<Record<string, unknown>>,
  before: Readonly<Record<string, unknown>>,
  live: Objects,
): Readonly<Record<string, unknown>> {
  const type = spec["type"] ?? "ClusterIP";
  if (type === "ExternalName") return spec;
  const others = live.filter((each) => each.type === "services")
    .map(({ manifest }) => recordOf(manifest["spec"]));
  const hasPorts = type === "NodePort" || type === "LoadBalancer";
  return {
    ...spec,
    ...clusterIps(spec, before, others),
    ...hasPorts && { ports: nodePorts(spec, before, others) },
  };
}

function clusterIps(
  spec: Readonly<Record<string, unknown>>,
  before: Readonly<Record<string, unknown>>,
  others: readonly Readonly<Record<string, unknown>>[],
): Readonly<Record<string, unknown>> {
  if (spec["clusterIP"] !== undefined || spec["clusterIPs"] !== undefined) return {};
  const taken = new Set(others.flatMap(addressesOf));
  const old = addressesOf(before).map((text) => IpAddress.tryParse(text));
  const clusterIPs = familiesOf(spec).map((family) => {
    const own = old.find((each) => each?.family === family);
    return String(own ?? freeAddress(family, taken));
  });
  return { clusterIP: clusterIPs[0], clusterIPs };
}

function addressesOf(spec: Readonly<Record<string, unknown>>): string[] {
  const { clusterIP, clusterIPs } = spec;
  const all = Array.isArray(clusterIPs) ? clusterIPs : [clusterIP];
  return all.filter((each): each is string => typeof each === "string");
}

function familiesOf(spec: Readonly<Record<string, unknown>>): readonly Family[] {
  const { ipFamilies, ipFamilyPolicy } = spec;
  const named = Array.isArray(ipFamilies)
    ? ipFamilies.map((each): Family => each === "IPv6" ? 6 : 4)
    : [];
  const first = named[0] ?? 4;
  const isDual = named.length > 1 || /DualStack$/.test(String(ipFamilyPolicy ?? ""));
  return isDual ? [first, first === 4 ? 6 : 4] : [first];
}

function freeAddress(family: Family, taken: ReadonlySet<string>): IpAddress {
  const ranges = DEFAULT_CLUSTER_CONFIG.services.filter((each) => each.family === family);
  for (const range of ranges) {
    for (let i = FIRST; i < range.size - 1n; i++) {
      const address = range.first.add(i);
      if (!taken.has(address.toString())) return address;
    }
  }
  throw new Error(`Cannot give a service an address: none of ${ranges.join(", ")} is free`);
}

function nodePorts(
  spec: Readonly<Record<string, unknown>>,
  before: Readonly<Record<string, unknown>>,
  others: readonly Readonly<Record<string, unknown>>[],
): readonly unknown[] {
  const key = ({ port, protocol = "TCP" }: Readonly<Record<string, unknown>>): string =>
    `${port}/${protocol}`;
  const own = new Map(listOf(before["ports"]).map((each) => [key(each), each["nodePort"]]));
  const ports = listOf(spec["ports"]);
  const taken = new Set<unknown>(
    [...others.flatMap((each) => listOf(each["ports"])), ...ports].map((each) => each["nodePort"]),
  );
  return ports.map((each) => {
    if (each["nodePort"] !== undefined) return each;
    const nodePort = own.get(key(each)) ?? freePort(taken);
    taken.add(nodePort);
    return { ...each, nodePort };
  });
}

function freePort(taken: ReadonlySet<unknown>): number {
  for (let port = NODE_PORTS.first; port <= NODE_PORTS.last; port++) {
    if (!taken.has(port)) return port;
  }
  throw new Error(`Cannot give a service a node port: all up to ${NODE_PORTS.last} are taken`);
}
