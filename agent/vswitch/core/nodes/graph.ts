import type { NextNodes } from "../core.ts";
import { arpInput } from "./arp.ts";
import { ip4Input } from "./ip4_input.ts";
import { ip4Follow, ip4Lookup } from "./ip4_lookup.ts";
import { ip4Rewrite } from "./ip4_rewrite.ts";
import { ip6Input } from "./ip6_input.ts";
import { ip6Follow, ip6Lookup } from "./ip6_lookup.ts";
import { ip6Rewrite } from "./ip6_rewrite.ts";
import { l2Input } from "./l2_input.ts";
import { segment } from "./segment.ts";
import { vxlanEncap } from "./vxlan_encap.ts";

/** The graph's edges that lead back up, as VPP's nodes register theirs. */
export const GRAPH: NextNodes = {
  arpInput,
  ip4Follow,
  ip4Input,
  ip4Lookup,
  ip4Rewrite,
  ip6Follow,
  ip6Input,
  ip6Lookup,
  ip6Rewrite,
  l2Input,
  segment,
  vxlanEncap,
};
