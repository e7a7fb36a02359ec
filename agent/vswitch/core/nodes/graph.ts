import type { NextNodes } from "../core.ts";
import { ip4Lookup } from "./ip4_lookup.ts";
import { ip4Rewrite } from "./ip4_rewrite.ts";
import { ip6Lookup } from "./ip6_lookup.ts";
import { ip6Rewrite } from "./ip6_rewrite.ts";

/** The graph's edges that lead back up, as VPP's nodes register theirs. */
export const GRAPH: NextNodes = { ip4Lookup, ip4Rewrite, ip6Lookup, ip6Rewrite };
