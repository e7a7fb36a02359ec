import type { InterfaceCounters, InterfaceView } from "../core/mod.ts";
import { center } from "./layout.ts";
import { CliError, type CliHost } from "./command.ts";

/** Column at which counters stand. */
const INDENT = 32 + 5 + 10 + 21;

/** VPP's names of the counters, in its order. */
const COUNTERS: readonly (readonly [label: string, key: keyof InterfaceCounters])[] = [
  ["rx packets", "rxPackets"],
  ["rx bytes", "rxBytes"],
  ["tx packets", "txPackets"],
  ["tx bytes", "txBytes"],
  ["rx multicast packets", "rxMulticast"],
  ["rx broadcast packets", "rxBroadcast"],
  ["drops", "drops"],
  ["punt", "punts"],
  ["ip4", "ip4"],
  ["ip6", "ip6"],
  ["rx-no-buf", "rxNoBuf"],
  ["rx-miss", "rxMiss"],
  ["rx-error", "rxError"],
  ["tx-error", "txError"],
];

/** `show interface [NAME...] [address]`. */
export function showInterface(args: readonly string[], { dataplane }: CliHost): string {
  const addresses = args.some((word) => word === "address" || word === "addr");
  const chosen: InterfaceView[] = [];
  for (const word of args) {
    if (word === "address" || word === "addr") continue;
    const link = dataplane.interfaceByName(word) ??
      (/^\d+$/.test(word) ? dataplane.interface(Number(word)) : undefined);
    if (link === undefined) throw new CliError(`unknown input \`${word}'`);
    chosen.push(link);
  }
  const links = chosen.length > 0 ? chosen : [...dataplane.interfaces()];
  if (addresses) return links.map((link) => addressLines(link, dataplane)).join("");
  const header = center("Name", 32) + center("Idx", 5) + center("State", 10) +
    center("MTU (L3/IP4/IP6/MPLS)", 21) + center("Counter", 16) + center("Count", 16);
  return `${header}\n${links.map(counterLines).join("")}`;
}

/** `show hardware-interfaces`. */
export function showHardware({ dataplane }: CliHost): string {
  let text = `${center("Name", 32)}${center("Idx", 7)}Link  Hardware\n`;
  for (const link of dataplane.interfaces()) {
    const up = link.linkUp && link.kind !== "local" ? "up" : "down";
    text += `${link.name.padEnd(33)}${center(String(link.swIfIndex), 5)}${up.padStart(6)}   `;
    text += `${link.name}\n  Link speed: unknown\n`;
    text += link.kind === "local" ? "  local\n" : `  Ethernet address ${link.mac}\n`;
  }
  return text;
}

function addressLines(link: InterfaceView, dataplane: CliHost["dataplane"]): string {
  let text = `${link.name} (${link.adminUp ? "up" : "dn"}):\n`;
  if (link.unnumberedTo !== undefined) {
    const lender = dataplane.interface(link.unnumberedTo);
    text += `  unnumbered, use ${lender?.name ?? link.unnumberedTo}\n`;
    for (const prefix of lender?.addresses ?? []) text += `  L3 ${prefix}\n`;
    return text;
  }
  for (const family of [4, 6]) {
    const tableId = family === 4 ? link.ip4TableId : link.ip6TableId;
    const suffix = tableId === 0 ? "" : ` ip${family} table-id ${tableId} fib-idx ${tableId}`;
    for (const prefix of link.addresses) {
      if (prefix.family === family) text += `  L3 ${prefix}${suffix}\n`;
    }
  }
  return text;
}

function counterLines(link: InterfaceView): string {
  const mtu = (link.kind === "local" ? [0, 0, 0, 0] : link.mtu).join("/");
  let text = link.name.padEnd(32) + center(String(link.swIfIndex), 5) +
    center(link.adminUp ? "up" : "down", 10) + center(mtu, 21);
  let printed = 0;
  for (const [label, key] of COUNTERS) {
    const count = link.counters[key];
    if (count === 0) continue;
    if (printed++ > 0) text += `\n${" ".repeat(INDENT)}`;
    text += label.padEnd(16) + String(count).padStart(16);
  }
  return `${text}\n`;
}
