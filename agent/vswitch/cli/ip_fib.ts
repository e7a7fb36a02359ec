import { type Family, IpAddress, IpPrefix } from "@contiv/net";
import { type Dataplane, NONE, PathType, type Route, type RoutePath } from "../core/mod.ts";
import { CliError, type CliHost } from "./command.ts";

const TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [PathType.LOCAL, "receive"],
  [PathType.DROP, "drop"],
  [PathType.ICMP_UNREACH, "icmp-unreach"],
  [PathType.ICMP_PROHIBIT, "icmp-prohibit"],
]);

/** `show ip fib [table ID] [ADDRESS | PREFIX]` and its IPv6 sister. */
export function showIpFib(family: Family, args: readonly string[], { dataplane }: CliHost): string {
  const rest = [...args];
  let wanted: number | undefined;
  if (rest[0] === "table" && /^\d{1,10}$/.test(rest[1] ?? "")) {
    wanted = Number(rest[1]);
    rest.splice(0, 2);
  }
  const prefix = rest.length > 0 ? prefixOf(rest.shift() ?? "", family) : undefined;
  if (rest.length > 0) throw new CliError(`unknown input \`${rest.join(" ")}'`);
  let text = "";
  for (const table of dataplane.tables()) {
    if (table.family !== family) continue;
    if (wanted !== undefined ? table.tableId !== wanted : prefix !== undefined && table.tableId) {
      continue;
    }
    text += `${table.name || `ipv${family}-VRF:${table.tableId}`}\n`;
    const routes = prefix === undefined
      ? dataplane.routes(table.tableId, family) ?? []
      : [dataplane.lookupRoute(table.tableId, prefix, false)];
    for (const route of routes) {
      if (route !== undefined) text += routeLines(route, dataplane);
    }
  }
  return text;
}

function routeLines(route: Route, dataplane: Dataplane): string {
  let text = `${route.prefix.network()}\n  unicast-ip${route.prefix.family}-chain\n`;
  for (const [at, path] of route.paths.entries()) {
    text += `    [${at}] ${pathText(path, dataplane)}\n`;
  }
  return text;
}

function pathText(path: RoutePath, dataplane: Dataplane): string {
  const type = TYPE_NAMES.get(path.type);
  const hop = path.nextHop;
  const via = hop === undefined || hop.bytes.every((octet) => octet === 0) ? "" : ` via ${hop}`;
  const name = path.swIfIndex === NONE
    ? ""
    : ` ${dataplane.interface(path.swIfIndex)?.name ?? path.swIfIndex}`;
  const weight = path.weight > 1 ? ` weight ${path.weight}` : "";
  return `${type ?? (via === "" ? "attached" : "ip")}${via}${name}${weight}`;
}

function prefixOf(word: string, family: Family): IpPrefix {
  try {
    const prefix = word.includes("/") ? IpPrefix.parse(word) : IpPrefix.host(IpAddress.parse(word));
    if (prefix.family === family) return prefix;
  } catch {
    // Not an address: the same answer as for one of the other family.
  }
  throw new CliError(`unknown input \`${word}'`);
}
