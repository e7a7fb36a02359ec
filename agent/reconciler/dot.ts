import type { ItemState, ItemStatus } from "./api.ts";

const COLOURS: Readonly<Record<ItemState, string>> = {
  applied: "palegreen",
  pending: "lightyellow",
  failed: "lightcoral",
  unknown: "lightgrey",
  removing: "lightblue",
};

/** Graphviz text of items, coloured by state, with an arrow to what each requires. */
export function toDot(
  items: Iterable<ItemStatus & { readonly requires: readonly string[] }>,
): string {
  const lines = ["digraph items {", "  rankdir=LR;", "  node [shape=box, style=filled];"];
  for (const { key, state, requires } of items) {
    lines.push(`  ${quote(key)} [fillcolor=${COLOURS[state]}, tooltip=${quote(state)}];`);
    for (const required of requires) lines.push(`  ${quote(key)} -> ${quote(required)};`);
  }
  return `${lines.join("\n")}\n}\n`;
}

function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
