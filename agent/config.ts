import { ConfigReader } from "@contiv/config";
import { LOG_LEVELS, type LogLevel } from "@contiv/log";
import { IpAddress, IpPrefix } from "@contiv/net";
import { DEFAULT_AGENT_SOCKET } from "@contiv/rpc";
// A type alone: the store's client is loaded for nodes of a cluster only.
import type { StoreAccess } from "@contiv/store";
import { apiDirectoryOf } from "@contiv/vppapi";
import type { PodLinkKind } from "./descriptors/vpp/mod.ts";
import { IpamError, NodePrefix } from "./ipam/mod.ts";
import { type SupervisedVpp, VPP_TRANSPORTS, type VppTransport } from "./vpp/mod.ts";

/** The agent's configuration; README.md documents each key of the file. */
export interface AgentConfig {
  readonly nodeName: string;
  readonly vppApiSocket: string;
  readonly vppApiTransport: VppTransport;
  /** Of the names of VPP's shared memory, or "". */
  readonly vppApiPrefix: string;
  /** Path of libvppapiclient, or undefined for the loader's search. */
  readonly vppApiLibrary: string | undefined;
  /** Directory of VPP's `*.api.json`. */
  readonly vppApiFiles: string;
  /** How the agent starts VPP, or undefined if somebody else does. */
  readonly vpp: SupervisedVpp | undefined;
  readonly cniSocket: string;
  readonly statusSocket: string;
  readonly stateDir: string;
  readonly logLevel: LogLevel;
  /** The node's pod prefixes, at most one per family; none with a store, which tells them. */
  readonly layouts: readonly NodePrefix[];
  /** Of containers' devices, octets; absent: by the uplink's. */
  readonly mtu?: number;
  /** The way into the cluster's store; without it the node stands alone. */
  readonly store?: StoreAccess;
  /** The way to other nodes and to the outside. */
  readonly uplink?: UplinkConfig;
  readonly podLink: PodLinkKind;
}

/** The host's device that VPP takes as its uplink. */
export interface UplinkConfig {
  readonly device: string;
  /** With their subnets' lengths; empty: the interconnect's, by the node's ID. */
  readonly addresses: readonly IpPrefix[];
  /** Next hops of default routes, at most one per family. */
  readonly gateways: readonly IpAddress[];
}

/** Where the configuration is looked for. */
export const DEFAULT_CONFIG = "/etc/contiv/agent.json";

const DEFAULT_SUBNETS = ["10.1.0.0/16", "fd10:1::/64"];
const DEFAULT_LENGTHS = { 4: 24, 6: 120 } as const;
const POD_LINKS: readonly PodLinkKind[] = ["auto", "tap", "veth"];
/** 1280 is the least that IPv6 allows (RFC 8200, 5), 9000 what VPP's interfaces take at most. */
const MTU = { min: 1280, max: 9000 };
const MAX_NODE_ID = 0xffff;
const ENDPOINT = /^(https?:\/\/[^/]+|unix:\/.+)$/;

/**
 * Reads the configuration file's text.
 * @param source what errors call it: the file's path
 * @param hostname the node's name where the file has none
 * @throws {ConfigError} that names path and value
 */
export function parseAgentConfig(text: string, source: string, hostname: string): AgentConfig {
  const root = ConfigReader.parse(text, source);
  const vpp = readVpp(root);
  const config: AgentConfig = {
    nodeName: root.string("nodeName", hostname),
    vppApiSocket: path(root, "vppApiSocket", "/run/contiv/vswitch/api.sock"),
    vppApiTransport: root.oneOf("vppApiTransport", VPP_TRANSPORTS, "auto"),
    vppApiPrefix: root.has("vppApiPrefix") ? root.string("vppApiPrefix") : "",
    vppApiLibrary: root.has("vppApiLibrary") ? path(root, "vppApiLibrary", "") : undefined,
    vppApiFiles: path(root, "vppApiFiles", apiDirectoryOf(vpp?.binary)),
    vpp,
    cniSocket: path(root, "cniSocket", DEFAULT_AGENT_SOCKET),
    statusSocket: path(root, "statusSocket", "/run/contiv/agent-status.sock"),
    stateDir: path(root, "stateDir", "/var/lib/contiv/agent"),
    logLevel: root.oneOf("logLevel", LOG_LEVELS, "info"),
    ...readCluster(root),
    ...root.has("mtu") ? { mtu: root.integer("mtu", MTU) } : {},
    podLink: root.oneOf("podLink", POD_LINKS, "auto"),
  };
  root.finish();
  return config;
}

function path(root: ConfigReader, key: string, fallback?: string): string {
  const value = root.string(key, fallback);
  if (!value.startsWith("/")) throw root.error(key, "an absolute path");
  return value;
}

/** Whether and how the agent starts VPP. */
function readVpp(root: ConfigReader): SupervisedVpp | undefined {
  const vpp = root.object("vpp");
  const supervise = vpp.boolean("supervise", false);
  const files = {
    binary: path(vpp, "binary", "/usr/bin/vpp"),
    startupConfig: path(vpp, "startupConfig", "/etc/vpp/startup.conf"),
  };
  vpp.finish();
  return supervise ? files : undefined;
}

/** With a store, the node's ID and prefixes come from there. */
function readCluster(root: ConfigReader): Pick<AgentConfig, "layouts" | "store" | "uplink"> {
  if (!root.has("store")) return { layouts: readLayouts(root) };
  for (const key of ["nodeId", "ipam"]) {
    if (root.has(key)) throw root.error(key, "nothing beside store, where it comes from");
  }
  return {
    layouts: [],
    store: readStore(root.object("store")),
    ...root.has("uplink") ? { uplink: readUplink(root) } : {},
  };
}

function readStore(store: ConfigReader): StoreAccess {
  const endpoints = store.list("endpoints", "http(s)://HOST:PORT or unix:PATH", (value) => {
    if (typeof value === "string" && ENDPOINT.test(value) && URL.canParse(value)) return value;
    throw new TypeError("no endpoint");
  });
  if (endpoints.length === 0) throw store.error("endpoints", "at least one endpoint");
  const files = ["ca", "cert", "key"].filter((key) => store.has(key));
  const access: StoreAccess = {
    endpoints,
    ...Object.fromEntries(files.map((key) => [key, path(store, key)])),
    ...store.has("serverName") ? { serverName: store.string("serverName") } : {},
    ...store.has("user")
      ? { user: { name: store.string("user"), passwordFile: path(store, "passwordFile") } }
      : {},
  };
  if ((access.cert === undefined) !== (access.key === undefined)) {
    throw store.error(access.cert === undefined ? "cert" : "key", "both of cert and key");
  }
  if (access.user === undefined && store.has("passwordFile")) {
    throw store.error("user", "the one whose password it is");
  }
  store.finish();
  return access;
}

function readUplink(root: ConfigReader): UplinkConfig {
  const uplink = root.object("uplink");
  const config = {
    device: uplink.string("device"),
    addresses: uplink.list(
      "addresses",
      "addresses with prefix lengths",
      (value) => IpPrefix.parse(String(value)),
      [],
    ),
    gateways: uplink.list(
      "gateways",
      "addresses",
      (value) => IpAddress.parse(String(value)),
      [],
    ),
  };
  uplink.finish();
  return config;
}

function readLayouts(root: ConfigReader): readonly NodePrefix[] {
  const ipam = root.object("ipam");
  const layouts = ipam.has("podCIDRs") ? ofNode(root, ipam) : ofCluster(root, ipam);
  ipam.finish();
  const [first, second] = layouts;
  const twice = first !== undefined && first.prefix.family === second?.prefix.family;
  if (first === undefined || layouts.length > 2 || twice) {
    const key = ipam.has("podCIDRs") ? "podCIDRs" : "podSubnets";
    throw ipam.error(key, "one prefix per family, at least one");
  }
  return layouts.toSorted((a, b) => a.prefix.family - b.prefix.family);
}

/** The prefixes that somebody, such as Kubernetes' node controller, gave to this node. */
function ofNode(root: ConfigReader, ipam: ConfigReader): readonly NodePrefix[] {
  root.integer("nodeId", { min: 1, max: MAX_NODE_ID }, 1);
  if (ipam.has("podSubnets")) throw ipam.error("podSubnets", "only one of podCIDRs and podSubnets");
  return ipam.list("podCIDRs", "the node's pod prefixes", (value) => {
    return NodePrefix.of(IpPrefix.parse(String(value)));
  });
}

/** This node's part of the cluster's subnets, by its number. */
function ofCluster(root: ConfigReader, ipam: ConfigReader): readonly NodePrefix[] {
  const nodeId = root.integer("nodeId", { min: 1, max: MAX_NODE_ID });
  const lengths = ipam.has("nodePrefixLengths")
    ? ipam.list("nodePrefixLengths", "whole numbers", (value) => {
      if (typeof value === "number" && Number.isInteger(value)) return value;
      throw new RangeError("not a whole number");
    })
    : undefined;
  let position = 0;
  const layouts = ipam.list("podSubnets", "the cluster's pod subnets", (value) => {
    const subnet = IpPrefix.parse(String(value));
    const length = lengths === undefined ? DEFAULT_LENGTHS[subnet.family] : lengths[position];
    position++;
    if (length === undefined) throw new IpamError("BAD_PREFIX", "nodePrefixLengths has fewer");
    return NodePrefix.ofNode(subnet, length, nodeId);
  }, DEFAULT_SUBNETS);
  if (lengths !== undefined && lengths.length !== position) {
    throw ipam.error("nodePrefixLengths", "one length for each of podSubnets");
  }
  return layouts;
}
