import { read32 } from "../bytes.ts";
import { type Core, drop } from "../core.ts";
import { errorIndex } from "../errors.ts";
import { DPO_DROP_EXEMPT, dpoIndex, DpoKind, dpoKind } from "../fib/dpo.ts";
import type { Packet } from "../packet.ts";
import { UrpfMode } from "../types.ts";

const STRICT_4 = errorIndex("ip4-rx-urpf-strict: uRPF Drop");
const LOOSE_4 = errorIndex("ip4-rx-urpf-loose: uRPF Drop");
const STRICT_6 = errorIndex("ip6-rx-urpf-strict: uRPF Drop");
const LOOSE_6 = errorIndex("ip6-rx-urpf-loose: uRPF Drop");

/**
 * Drops a packet whose source has no way back, or (strict) none over the interface that it came in
 * by (RFC 3704, 2.2 and 2.4). Broadcasts pass: their sender may have no address yet.
 * @returns whether it was dropped
 */
export function ip4Urpf(core: Core, p: Packet): boolean {
  const { buffer, l3, rx } = p;
  if (read32(buffer, l3 + 16) === -1) return false;
  const table = rx.ip4UrpfTable ?? rx.ip4Table;
  const strict = rx.ip4Urpf === UrpfMode.STRICT;
  const back = table.ip4!.lookup(read32(buffer, l3 + 12));
  if (leadsBack(core, back, strict ? rx.swIfIndex : undefined)) return false;
  drop(core, p, strict ? STRICT_4 : LOOSE_4);
  return true;
}

/** The same for IPv6. A link-local source leads nowhere, as in VPP: it may speak to groups only. */
export function ip6Urpf(core: Core, p: Packet): boolean {
  const { buffer, l3, rx } = p;
  const table = rx.ip6UrpfTable ?? rx.ip6Table;
  const strict = rx.ip6Urpf === UrpfMode.STRICT;
  const back = table.ip6!.lookup(
    read32(buffer, l3 + 8),
    read32(buffer, l3 + 12),
    read32(buffer, l3 + 16),
    read32(buffer, l3 + 20),
  );
  if (leadsBack(core, back, strict ? rx.swIfIndex : undefined)) return false;
  drop(core, p, strict ? STRICT_6 : LOOSE_6);
  return true;
}

/** @param through the interface that must be on the way; undefined: any will do */
function leadsBack(core: Core, dpo: number, through: number | undefined): boolean {
  const index = dpoIndex(dpo);
  switch (dpoKind(dpo)) {
    case DpoKind.ADJACENCY:
      return through === undefined || core.adjacencies.swIfIndex[index] === through;
    case DpoKind.GLEAN:
      return through === undefined || index === through;
    case DpoKind.MULTIPATH:
      return core.fib.multipath.buckets(index)?.some((each) => leadsBack(core, each, through)) ??
        false;
    default:
      return dpo === DPO_DROP_EXEMPT && through === undefined;
  }
}
