/**
 * What is done with a packet that matched a route: VPP's data path object. A kind and an index in
 * one small number, so that look-up tables hold numbers only.
 */
export const DpoKind = {
  /** Index 1: drop, but packets from there pass the source check. */
  DROP: 0,
  /** An adjacency. */
  ADJACENCY: 1,
  /** Resolve the packet's destination on the interface with this index. */
  GLEAN: 2,
  /** For this node; the index is the interface's plus one, or 0. */
  RECEIVE: 3,
  UNREACHABLE: 4,
  PROHIBIT: 5,
  /** Look up in the link-local table of the receiving interface. */
  LINK_LOCAL: 6,
  /** Look up in the table with this position. */
  LOOKUP: 7,
  /** Choose one of several by the flow's hash. */
  MULTIPATH: 8,
} as const;

const INDEX_BITS = 24;
const INDEX_MASK = (1 << INDEX_BITS) - 1;

export function makeDpo(kind: number, index: number): number {
  return kind << INDEX_BITS | index;
}

export function dpoKind(dpo: number): number {
  return dpo >>> INDEX_BITS;
}

export function dpoIndex(dpo: number): number {
  return dpo & INDEX_MASK;
}

export const DPO_DROP = makeDpo(DpoKind.DROP, 0);
export const DPO_DROP_EXEMPT = makeDpo(DpoKind.DROP, 1);
