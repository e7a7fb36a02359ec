import { read32 } from "../bytes.ts";
import { type Core, drop } from "../core.ts";
import { errorIndex } from "../errors.ts";
import { dpoIndex, DpoKind, dpoKind } from "../fib/dpo.ts";
import type { FibEntry } from "../fib/entry.ts";
import type { FibTable } from "../fib/table.ts";
import type { Packet } from "../packet.ts";
import { ip4FlowHash } from "./flow_hash.ts";
import { formatDpo, formatIp } from "./format.ts";
import { HOST_UNREACHABLE_4, icmp4Error, PROHIBITED_4, UNREACHABLE_4 } from "./icmp4_error.ts";
import { ip4Glean } from "./ip4_resolve.ts";
import { ip4Local } from "./ip4_local.ts";
import { ip4Rewrite } from "./ip4_rewrite.ts";
import { mix2 } from "../tables/hash.ts";

const DROPPED = errorIndex("ip4-drop: ip4 drop");
/** Tables and choices that one packet may go through. */
const MAX_STEPS = 5;

/** Finds the route of a packet's destination and follows it. */
export function ip4Lookup(core: Core, p: Packet, table: FibTable<FibEntry>): void {
  const dpo = table.ip4!.lookup(read32(p.buffer, p.l3 + 16));
  if (p.traced) traceLookup(core, p, table, dpo);
  ip4Follow(core, p, dpo);
}

/** Does with a packet what its route says. */
export function ip4Follow(core: Core, p: Packet, first: number): void {
  let dpo = first;
  for (let step = 0; step < MAX_STEPS; step++) {
    const index = dpoIndex(dpo);
    switch (dpoKind(dpo)) {
      case DpoKind.ADJACENCY:
        return ip4Rewrite(core, p, index);
      case DpoKind.MULTIPATH:
        dpo = core.fib.multipath.choose(index, ip4FlowHash(p));
        continue;
      case DpoKind.LOOKUP: {
        const next = core.fib.tables[index];
        if (next?.ip4 === undefined) return drop(core, p, DROPPED);
        dpo = next.ip4.lookup(read32(p.buffer, p.l3 + 16));
        if (p.traced) traceLookup(core, p, next, dpo);
        continue;
      }
      case DpoKind.RECEIVE:
        return ip4Local(core, p);
      case DpoKind.GLEAN:
        return ip4Glean(core, p, index);
      case DpoKind.UNREACHABLE:
        return ip4Null(core, p, HOST_UNREACHABLE_4);
      case DpoKind.PROHIBIT:
        return ip4Null(core, p, PROHIBITED_4);
      default:
        return drop(core, p, DROPPED);
    }
  }
  drop(core, p, DROPPED);
}

/** Tells the sender that there is no way, though not too often. */
function ip4Null(core: Core, p: Packet, code: number): void {
  const pair = mix2(read32(p.buffer, p.l3 + 12), read32(p.buffer, p.l3 + 16));
  if (core.nullThrottle.allows(pair, p.nowMs)) icmp4Error(core, p, UNREACHABLE_4, code, 0);
  drop(core, p, DROPPED);
}

function traceLookup(core: Core, p: Packet, table: FibTable<FibEntry>, dpo: number): void {
  const text = `fib ${table.tableId} dpo ${formatDpo(core, dpo)}\n${formatIp(p)}`;
  core.trace.add(p.nowMs, "ip4-lookup", text);
}
