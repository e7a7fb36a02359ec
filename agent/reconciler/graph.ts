import type { Item } from "./api.ts";

/**
 * What is not known of an applied item. `content`: an update failed, so it exists, as before or as
 * wanted. `existence`: a create or delete failed, or the world was restarted.
 */
export type Doubt = "content" | "existence";

/** What the outside world holds of an item, as far as we know. */
export interface Applied {
  readonly item: Item;
  /** What the descriptor's create or update returned. */
  readonly meta: unknown;
  readonly doubt?: Doubt;
}

/** A key's two sides. At least one is there. */
export interface GraphNode {
  readonly wanted?: Item;
  readonly applied?: Applied;
}

/** The descriptor's kind that a key belongs to: what stands before its first slash. */
export function kindOf(key: string): string {
  const slash = key.indexOf("/");
  return slash < 0 ? key : key.slice(0, slash);
}

const NOTHING: readonly string[] = [];

/** Wanted items, applied items, and who requires whom. */
export class Graph {
  readonly #nodes = new Map<string, GraphNode>();
  /** Key -> keys of the items that require it, as wanted or as applied. */
  readonly #dependents = new Map<string, Set<string>>();
  readonly #byKind = new Map<string, Set<string>>();
  #reads = 0;

  /** How many nodes have been read since the start. */
  get reads(): number {
    return this.#reads;
  }

  get size(): number {
    return this.#nodes.size;
  }

  get(key: string): GraphNode | undefined {
    this.#reads++;
    return this.#nodes.get(key);
  }

  keys(): Iterable<string> {
    return this.#nodes.keys();
  }

  keysOfKind(kind: string): Iterable<string> {
    return this.#byKind.get(kind) ?? NOTHING;
  }

  /** Keys of the items that require this one, as wanted or as applied. */
  dependents(key: string): Iterable<string> {
    return this.#dependents.get(key) ?? NOTHING;
  }

  setWanted(key: string, wanted: Item | undefined): void {
    const before = this.#nodes.get(key);
    this.#replace(key, before, make(wanted, before?.applied));
  }

  setApplied(key: string, applied: Applied | undefined): void {
    const before = this.#nodes.get(key);
    this.#replace(key, before, make(before?.wanted, applied));
  }

  #replace(key: string, before: GraphNode | undefined, after: GraphNode | undefined): void {
    const old = required(before);
    const current = required(after);
    if (after === undefined) {
      this.#nodes.delete(key);
      remove(this.#byKind, kindOf(key), key);
    } else {
      this.#nodes.set(key, after);
      if (before === undefined) add(this.#byKind, kindOf(key), key);
    }
    if (old === current) return;
    for (const other of old) if (!current.includes(other)) remove(this.#dependents, other, key);
    for (const other of current) add(this.#dependents, other, key);
  }
}

function make(wanted: Item | undefined, applied: Applied | undefined): GraphNode | undefined {
  if (wanted && applied) return { wanted, applied };
  if (wanted) return { wanted };
  return applied && { applied };
}

/** What a node requires, as wanted or as applied. The same list for the same single side. */
function required(node: GraphNode | undefined): readonly string[] {
  const wanted = node?.wanted?.requires;
  const applied = node?.applied?.item.requires;
  if (wanted === undefined || applied === undefined || wanted === applied) {
    return wanted ?? applied ?? NOTHING;
  }
  return [...wanted, ...applied];
}

function add(index: Map<string, Set<string>>, at: string, key: string): void {
  const keys = index.get(at);
  if (keys) keys.add(key);
  else index.set(at, new Set([key]));
}

function remove(index: Map<string, Set<string>>, at: string, key: string): void {
  const keys = index.get(at);
  if (keys?.delete(key) && keys.size === 0) index.delete(at);
}
