import type { Core } from "../core.ts";
import { ip4Unicast } from "./ip4_input.ts";
import { ip6Unicast } from "./ip6_input.ts";

/** Hands on the later fragments whose first one has come. */
export function cnatRelease(core: Core): void {
  for (let p = core.cnat.held.take(); p; p = core.cnat.held.take()) {
    // Its interface may be gone, or another have its index.
    if (core.interfaces[p.rx.swIfIndex] !== p.rx) continue;
    p.nowMs = core.nowMs;
    if (p.buffer[p.l3]! >>> 4 === 4) ip4Unicast(core, p);
    else ip6Unicast(core, p);
  }
}
