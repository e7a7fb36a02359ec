import type { Family } from "@contiv/net";
import type { NeighborInfo } from "../core/mod.ts";
import { center } from "./layout.ts";
import type { CliHost } from "./command.ts";

/** `show ip neighbors`, `show ip4 neighbors`, `show ip6 neighbors`. */
export function showIpNeighbors(families: readonly Family[], host: CliHost): string {
  const rows = families.flatMap((family) => [...host.dataplane.neighbors(family)]);
  if (rows.length === 0) return "";
  const header = center("Age", 12) + center("IP", 40) + center("Flags", 6) +
    center("Ethernet", 20) + "Interface";
  return `${header}\n${rows.map((row) => line(row, host)).join("")}`;
}

function line(neighbor: NeighborInfo, { dataplane, now }: CliHost): string {
  const age = Math.max(0, now() - neighbor.updatedMs) / 1000;
  const flags = (neighbor.isStatic ? "S" : "D") + (neighbor.noFibEntry ? "N" : "");
  const name = dataplane.interface(neighbor.swIfIndex)?.name ?? String(neighbor.swIfIndex);
  return center(age.toFixed(4), 12) + center(String(neighbor.address), 40) + center(flags, 6) +
    center(String(neighbor.mac), 20) + `${name}\n`;
}
