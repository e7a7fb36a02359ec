import { IpAddress, IpPrefix } from "@contiv/net";
import { invalid, isJsonObject, type JsonObject } from "./network_config.ts";
import type { CniDns, CniInterface, CniIp, CniResult, CniRoute } from "./result.ts";

/** More entries than any chain of plugins makes; a limit for what is walked per command. */
const MAX_ENTRIES = 4096;

/**
 * Reads the prevResult of a configuration, of whichever version, into the newest form. Keys that
 * the specification does not have are dropped; null counts as absent, as runtimes in Go write it.
 * @returns `undefined` if there is none
 * @throws {CniError} INVALID_NETWORK_CONFIG that names the key
 */
export function parsePrevResult(config: JsonObject): CniResult | undefined {
  const { prevResult } = config;
  if (prevResult === undefined || prevResult === null) return undefined;
  if (!isJsonObject(prevResult)) throw invalid("prevResult", prevResult, "a result");
  const interfaces = entries(prevResult, "interfaces").map(parseInterface);
  return {
    interfaces,
    ips: entries(prevResult, "ips").map((ip) => parseIp(ip, interfaces.length)),
    routes: entries(prevResult, "routes").map(parseRoute),
    ...isJsonObject(prevResult["dns"]) && { dns: parseDns(prevResult["dns"]) },
  };
}

function entries(result: JsonObject, key: string): JsonObject[] {
  const list = result[key] ?? [];
  if (!Array.isArray(list) || list.length > MAX_ENTRIES || !list.every(isJsonObject)) {
    throw invalid(`prevResult.${key}`, list, `a list of at most ${MAX_ENTRIES} objects`);
  }
  return list;
}

function parseInterface(from: JsonObject): CniInterface {
  return {
    name: required(from, "interfaces", "name"),
    ...text(from, "interfaces", "mac"),
    ...uint(from, "interfaces", "mtu"),
    ...text(from, "interfaces", "sandbox"),
    ...text(from, "interfaces", "socketPath"),
    ...text(from, "interfaces", "pciID"),
  };
}

function parseIp(from: JsonObject, interfaces: number): CniIp {
  const ip: CniIp = {
    address: prefix(from, "ips", "address"),
    ...address(from, "ips", "gateway"),
    ...uint(from, "ips", "interface"),
  };
  if (ip.interface !== undefined && ip.interface >= interfaces) {
    throw invalid("prevResult.ips.interface", ip.interface, `an index below ${interfaces}`);
  }
  return ip;
}

function parseRoute(from: JsonObject): CniRoute {
  return {
    dst: prefix(from, "routes", "dst"),
    ...address(from, "routes", "gw"),
    ...uint(from, "routes", "mtu"),
    ...uint(from, "routes", "advmss"),
    ...uint(from, "routes", "priority"),
    ...uint(from, "routes", "table"),
    ...uint(from, "routes", "scope"),
  };
}

function parseDns(from: JsonObject): CniDns {
  return {
    ...texts(from, "nameservers"),
    ...text(from, "dns", "domain"),
    ...texts(from, "search"),
    ...texts(from, "options"),
  };
}

function required(from: JsonObject, list: string, key: string): string {
  const value = from[key];
  if (typeof value !== "string" || value === "") {
    throw invalid(`prevResult.${list}.${key}`, value, "a text");
  }
  return value;
}

function prefix(from: JsonObject, list: string, key: string): string {
  const value = required(from, list, key);
  try {
    IpPrefix.parse(value);
  } catch {
    throw invalid(`prevResult.${list}.${key}`, value, "an address in CIDR notation");
  }
  return value;
}

function address<K extends string>(
  from: JsonObject,
  list: string,
  key: K,
): Partial<Record<K, string>> {
  const found = text(from, list, key);
  const value = found[key];
  if (value !== undefined && IpAddress.tryParse(value) === undefined) {
    throw invalid(`prevResult.${list}.${key}`, value, "an address");
  }
  return found;
}

function text<K extends string>(
  from: JsonObject,
  list: string,
  key: K,
): Partial<Record<K, string>> {
  const value = from[key];
  if (value === undefined || value === null || value === "") return {};
  if (typeof value !== "string") throw invalid(`prevResult.${list}.${key}`, value, "a text");
  return { [key]: value } as Record<K, string>;
}

function uint<K extends string>(
  from: JsonObject,
  list: string,
  key: K,
): Partial<Record<K, number>> {
  const value = from[key];
  if (value === undefined || value === null) return {};
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw invalid(`prevResult.${list}.${key}`, value, "a whole number from 0");
  }
  return { [key]: value } as Record<K, number>;
}

function texts<K extends string>(
  from: JsonObject,
  key: K,
): Partial<Record<K, readonly string[]>> {
  const value: unknown = from[key];
  if (value === undefined || value === null) return {};
  if (!isTexts(value)) throw invalid(`prevResult.dns.${key}`, value, "a list of texts");
  return { [key]: value } as Record<K, readonly string[]>;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === "string");
}
