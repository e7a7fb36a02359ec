import { ConfigReader } from "@contiv/config";
import { type Family, type IpAddress, IpPrefix } from "@contiv/net";

/** A subnet of the cluster that is divided among its nodes by their IDs. */
export interface DividedSubnet {
  readonly subnet: IpPrefix;
  /** Prefix length of a node's part. */
  readonly nodeLength: number;
}

/** How packets get from node to node: in VXLAN tunnels, or as they are. */
export type Transport = "vxlan" | "none";

export type PrefixSource = "id" | "kubernetes";

/** What all nodes of a cluster agree on: one document, in the store or in each agent's file. */
export interface ClusterConfig {
  /** Of pods; at most one per family, as all of these. */
  readonly pods: readonly DividedSubnet[];
  /** Of the links between each node's VPP and its host, `vpp1`. */
  readonly hosts: readonly DividedSubnet[];
  /** The bridge domain that joins nodes: one address for each, by its ID. */
  readonly overlay: readonly IpPrefix[];
  /** The network between nodes' uplinks, where they have no other addresses: likewise. */
  readonly interconnect: readonly IpPrefix[];
  readonly services: readonly IpPrefix[];
  /** Whether a node's pod prefixes follow from its ID, or are those that Kubernetes gave to it. */
  readonly nodePrefixes: PrefixSource;
  readonly transport: Transport;
  /** The family of tunnels' own packets. */
  readonly underlay: Family;
  /** VXLAN's network identifier. */
  readonly vni: number;
  /** VXLAN's UDP port. */
  readonly port: number;
}

/** No two IPv6 addresses of pods, hosts and nodes agree in their low 32 bits (decision 16). */
const DEFAULTS = {
  podSubnets: ["10.1.0.0/16", "fd10:1::/64"],
  hostSubnets: ["172.30.0.0/16", "fd10:2::8000:0/97"],
  overlaySubnets: ["192.168.30.0/24", "fd10:3::c000:0/112"],
  interconnectSubnets: ["192.168.16.0/24", "fd10:4::a000:0/112"],
  serviceSubnets: ["10.96.0.0/12", "fd10:96::/112"],
} as const;
const NODE_LENGTHS = { 4: 24, 6: 120 } as const;
const PREFIX_SOURCES: readonly PrefixSource[] = ["id", "kubernetes"];
const TRANSPORTS: readonly Transport[] = ["vxlan", "none"];

/** The configuration of a cluster that has none: dual-stack, VXLAN over IPv4. */
export const DEFAULT_CLUSTER_CONFIG: ClusterConfig = parseClusterConfig("{}", "defaults");

/**
 * Reads the cluster's configuration. Absent keys have defaults; the families of `podSubnets` are
 * those of the cluster, and every other subnet of another family is left out.
 * @param source what errors call it
 * @throws {ConfigError} that names key and value; also if subnets overlap
 */
export function parseClusterConfig(text: string, source: string): ClusterConfig {
  return readClusterConfig(ConfigReader.parse(text, source));
}

/** Reads it as an object of another document. @throws {ConfigError} */
export function readClusterConfig(root: ConfigReader): ClusterConfig {
  const pods = divided(root, "podSubnets", "nodePrefixLengths", undefined);
  const families = new Set(pods.map(({ subnet }) => subnet.family));
  const hosts = divided(root, "hostSubnets", "hostPrefixLengths", families);
  const overlay = subnets(root, "overlaySubnets", families);
  const interconnect = subnets(root, "interconnectSubnets", undefined);
  const services = subnets(root, "serviceSubnets", families);
  const config: ClusterConfig = {
    pods,
    hosts,
    overlay,
    interconnect,
    services,
    nodePrefixes: root.oneOf("nodePrefixes", PREFIX_SOURCES, "id"),
    transport: root.oneOf("transport", TRANSPORTS, "vxlan"),
    underlay: root.oneOf("underlay", ["ipv4", "ipv6"], "ipv4") === "ipv4" ? 4 : 6,
    vni: root.integer("vni", { min: 1, max: 0xffffff }, 10),
    port: root.integer("port", { min: 1, max: 0xffff }, 4789),
  };
  root.finish();
  requireApart(root, config);
  return config;
}

/** The document again, every key said. */
export function writeClusterConfig(config: ClusterConfig): string {
  const lengths = (list: readonly DividedSubnet[]): number[] => list.map((each) => each.nodeLength);
  const texts = (list: readonly DividedSubnet[]): string[] => list.map(({ subnet }) => `${subnet}`);
  return JSON.stringify({
    podSubnets: texts(config.pods),
    nodePrefixLengths: lengths(config.pods),
    hostSubnets: texts(config.hosts),
    hostPrefixLengths: lengths(config.hosts),
    overlaySubnets: config.overlay.map(String),
    interconnectSubnets: config.interconnect.map(String),
    serviceSubnets: config.services.map(String),
    nodePrefixes: config.nodePrefixes,
    transport: config.transport,
    underlay: config.underlay === 4 ? "ipv4" : "ipv6",
    vni: config.vni,
    port: config.port,
  });
}

/**
 * The highest node ID that has a part of every subnet. Pods' and hosts' last node takes the part
 * where ID 0 would be; of the others the broadcast address is nobody's.
 */
export function maxNodeId(config: ClusterConfig): number {
  const parts = [...config.pods, ...config.hosts].map(({ subnet, nodeLength }) =>
    1n << BigInt(nodeLength - subnet.length)
  );
  const links = [...config.overlay, ...config.interconnect].map(({ size }) => size - 2n);
  const least = [...parts, ...links].reduce((a, b) => a < b ? a : b, 0xffffn);
  return Number(least);
}

/** The address of a node in a subnet that all nodes share, with the subnet's length. */
export function sharedAddress(subnet: IpPrefix, nodeId: number): IpPrefix {
  const address: IpAddress = subnet.first.add(BigInt(nodeId));
  return IpPrefix.of(address, subnet.length);
}

function subnets(
  root: ConfigReader,
  key: keyof typeof DEFAULTS,
  families: ReadonlySet<Family> | undefined,
): readonly IpPrefix[] {
  const list = root.list(key, "subnets", parseSubnet, DEFAULTS[key]);
  const kept = list.filter(({ family }) => families === undefined || families.has(family));
  if (new Set(kept.map(({ family }) => family)).size !== kept.length) {
    throw root.error(key, "one subnet per family");
  }
  return kept.toSorted((a, b) => a.family - b.family);
}

function divided(
  root: ConfigReader,
  key: "podSubnets" | "hostSubnets",
  lengthsKey: string,
  families: ReadonlySet<Family> | undefined,
): readonly DividedSubnet[] {
  const lengths = root.has(lengthsKey)
    ? root.list(lengthsKey, "whole numbers", (value) => {
      if (typeof value === "number" && Number.isInteger(value)) return value;
      throw new RangeError("not a whole number");
    })
    : undefined;
  const all = root.list(key, "subnets", parseSubnet, DEFAULTS[key]);
  if (lengths !== undefined && lengths.length !== all.length) {
    throw root.error(lengthsKey, `one length for each of ${key}`);
  }
  const list = all.map((subnet, i) => ({
    subnet,
    nodeLength: lengths?.[i] ?? NODE_LENGTHS[subnet.family],
  }));
  for (const { subnet, nodeLength } of list) {
    // Network, gateway, one address, service loopback, broadcast.
    if (nodeLength < subnet.length || nodeLength > subnet.bits - 3) {
      throw root.error(lengthsKey, `${subnet.length} to ${subnet.bits - 3} for ${subnet}`);
    }
  }
  const kept = list.filter(({ subnet }) => families === undefined || families.has(subnet.family));
  const distinct = new Set(kept.map(({ subnet }) => subnet.family)).size;
  if (kept.length === 0 || distinct !== kept.length) {
    throw root.error(key, "one subnet per family, at least one");
  }
  return kept.toSorted((a, b) => a.subnet.family - b.subnet.family);
}

function parseSubnet(value: unknown): IpPrefix {
  const prefix = IpPrefix.parse(String(value));
  if (prefix.equals(prefix.network())) return prefix;
  throw new RangeError(`host bits are set, ${prefix.network()} wanted`);
}

/** No address may mean two things. */
function requireApart(root: ConfigReader, config: ClusterConfig): void {
  const named: readonly (readonly [key: string, subnet: IpPrefix])[] = [
    ...config.pods.map(({ subnet }) => ["podSubnets", subnet] as const),
    ...config.hosts.map(({ subnet }) => ["hostSubnets", subnet] as const),
    ...config.overlay.map((subnet) => ["overlaySubnets", subnet] as const),
    ...config.interconnect.map((subnet) => ["interconnectSubnets", subnet] as const),
    ...config.services.map((subnet) => ["serviceSubnets", subnet] as const),
  ];
  for (const [i, [key, subnet]] of named.entries()) {
    for (const [other, before] of named.slice(0, i)) {
      if (subnet.overlaps(before)) {
        throw root.error(key, `a subnet apart from ${before} of ${other}`);
      }
    }
  }
}
