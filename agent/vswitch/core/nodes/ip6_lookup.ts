import { read32 } from "../bytes.ts";
import { type Core, drop } from "../core.ts";
import { errorIndex } from "../errors.ts";
import { DPO_DROP, dpoIndex, DpoKind, dpoKind } from "../fib/dpo.ts";
import type { FibEntry } from "../fib/entry.ts";
import type { FibTable } from "../fib/table.ts";
import type { Packet } from "../packet.ts";
import type { Ip6Lpm } from "../tables/ip6_lpm.ts";
import { ip6FlowHash, ip6PairHash } from "./flow_hash.ts";
import { formatDpo, formatIp } from "./format.ts";
import { icmp6Error, NO_ROUTE_6, PROHIBITED_6, UNREACHABLE_6 } from "./icmp6_error.ts";
import { ip6Local } from "./ip6_local.ts";
import { ip6Glean } from "./ip6_resolve.ts";
import { ip6Rewrite } from "./ip6_rewrite.ts";

const DROPPED = errorIndex("ip6-drop: ip6 drop");
/** Tables and choices that one packet may go through. */
const MAX_STEPS = 5;

/** Finds the route of a packet's destination and follows it. */
export function ip6Lookup(core: Core, p: Packet, table: FibTable<FibEntry>): void {
  const dpo = find(p, table.ip6!);
  if (p.traced) traceLookup(core, p, table, dpo);
  ip6Follow(core, p, dpo);
}

/** Does with a packet what its route says. */
export function ip6Follow(core: Core, p: Packet, first: number): void {
  let dpo = first;
  for (let step = 0; step < MAX_STEPS; step++) {
    const index = dpoIndex(dpo);
    switch (dpoKind(dpo)) {
      case DpoKind.ADJACENCY:
        return ip6Rewrite(core, p, index);
      case DpoKind.MULTIPATH:
        dpo = core.fib.multipath.choose(index, ip6FlowHash(p));
        continue;
      case DpoKind.LOOKUP: {
        const next = core.fib.tables[index];
        if (next?.ip6 === undefined) return drop(core, p, DROPPED);
        dpo = find(p, next.ip6);
        if (p.traced) traceLookup(core, p, next, dpo);
        continue;
      }
      case DpoKind.LINK_LOCAL:
        dpo = p.rx.linkLocal === undefined ? DPO_DROP : find(p, p.rx.linkLocal);
        if (p.traced) core.trace.add(p.nowMs, "ip6-link-local", formatDpo(core, dpo));
        continue;
      case DpoKind.RECEIVE:
        return ip6Local(core, p);
      case DpoKind.GLEAN:
        return ip6Glean(core, p, index);
      case DpoKind.UNREACHABLE:
        return ip6Null(core, p, NO_ROUTE_6);
      case DpoKind.PROHIBIT:
        return ip6Null(core, p, PROHIBITED_6);
      default:
        return drop(core, p, DROPPED);
    }
  }
  drop(core, p, DROPPED);
}

function find({ buffer, l3 }: Packet, table: Ip6Lpm): number {
  return table.lookup(
    read32(buffer, l3 + 24),
    read32(buffer, l3 + 28),
    read32(buffer, l3 + 32),
    read32(buffer, l3 + 36),
  );
}

/** Tells the sender that there is no way, though not too often. */
function ip6Null(core: Core, p: Packet, code: number): void {
  if (core.nullThrottle.allows(ip6PairHash(p), p.nowMs)) {
    icmp6Error(core, p, UNREACHABLE_6, code, 0);
  }
  drop(core, p, DROPPED);
}

function traceLookup(core: Core, p: Packet, table: FibTable<FibEntry>, dpo: number): void {
  const text = `fib ${table.tableId} dpo ${formatDpo(core, dpo)}\n${formatIp(p)}`;
  core.trace.add(p.nowMs, "ip6-lookup", text);
}
