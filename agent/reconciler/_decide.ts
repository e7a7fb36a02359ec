import type { Descriptor, Item } from "./api.ts";
import { ReconcilerError } from "./error.ts";
import { type Graph, type GraphNode, kindOf } from "./graph.ts";

/** Descriptors by kind. */
export type Descriptors = ReadonlyMap<string, Descriptor>;

/** What becomes of one item in a plan. */
export type Action = "none" | "create" | "update" | "recreate" | "delete";

export interface Decision {
  readonly key: string;
  readonly node: GraphNode;
  readonly action: Action;
  /** Whether it is wanted and all it requires stands too: it exists once the plan is done. */
  readonly stands: boolean;
  /** Whether something that it requires, however indirectly, is recreated. */
  readonly recreatedAbove: boolean;
}

const EMPTY: GraphNode = {};

/** Whether what stands on an item cannot stay as it is when this is done to it. */
export function disturbs(action: Action): boolean {
  return action === "create" || action === "recreate" || action === "delete";
}

/**
 * Decides what becomes of items. A decision depends on the item's own two sides and on the
 * decisions about what it requires as wanted, never on which keys were asked for, so that planning
 * changes and planning from scratch decide alike.
 */
export class Decisions {
  readonly #graph: Graph;
  readonly #descriptors: Descriptors;
  readonly #made = new Map<string, Decision>();

  constructor(graph: Graph, descriptors: Descriptors) {
    this.#graph = graph;
    this.#descriptors = descriptors;
  }

  get(key: string): Decision | undefined {
    return this.#made.get(key);
  }

  /** All decisions made, those about required items first. Grows while it is walked. */
  all(): Iterable<Decision> {
    return this.#made.values();
  }

  /**
   * Decides about an item and all it requires.
   * @throws {ReconcilerError} CYCLE
   */
  make(key: string): void {
    if (this.#made.has(key)) return;
    const path = new Map<string, { node: GraphNode; next: number }>();
    const stack: string[] = [];
    const enter = (key: string): void => {
      stack.push(key);
      path.set(key, { node: this.#graph.get(key) ?? EMPTY, next: 0 });
    };
    enter(key);
    for (let top = key;; top = stack[stack.length - 1] ?? key) {
      const frame = path.get(top);
      if (frame === undefined) return;
      const required = frame.node.wanted?.requires[frame.next++];
      if (required === undefined) {
        this.#made.set(top, this.#decide(top, frame.node));
        path.delete(top);
        stack.pop();
      } else if (path.has(required)) {
        throw cycle([...stack.slice(stack.indexOf(required)), required]);
      } else if (!this.#made.has(required)) {
        enter(required);
      }
    }
  }

  #decide(key: string, node: GraphNode): Decision {
    const { wanted, applied } = node;
    let stands = wanted !== undefined;
    let recreatedAbove = false;
    let disturbed = false;
    for (const required of wanted?.requires ?? []) {
      const above = this.#made.get(required);
      if (above === undefined || !above.stands) stands = false;
      if (above === undefined || above.action === "none") continue;
      recreatedAbove ||= above.recreatedAbove || above.action === "recreate";
      disturbed ||= disturbs(above.action) && (applied?.item.requires.includes(required) ?? false);
    }
    const decided = (action: Action): Decision => ({ key, node, action, stands, recreatedAbove });
    if (wanted === undefined || !stands) return decided(applied ? "delete" : "none");
    if (applied === undefined) return decided("create");
    if (disturbed) return decided("recreate");
    const { item, doubt } = applied;
    const descriptor = this.#descriptors.get(kindOf(key));
    const equal = item === wanted || (descriptor?.equal(item.value, wanted.value) ?? false);
    const sameRequires = requireTheSame(item, wanted);
    if (doubt === "existence") return decided(equal && sameRequires ? "create" : "recreate");
    if (equal && sameRequires && doubt === undefined) return decided("none");
    // An update that leaves a required item goes before that item's deletion. If the update had
    // to wait for a recreated one, which waits for deletions, the two could wait for each other.
    const leaves = item.requires.some((required) => !wanted.requires.includes(required));
    if (leaves && recreatedAbove) return decided("recreate");
    if (equal && doubt === undefined) return decided("update");
    const inPlace = descriptor?.update !== undefined &&
      descriptor.needsRecreate?.(item.value, wanted.value) !== true;
    return decided(inPlace ? "update" : "recreate");
  }
}

/** Whether two items require the same keys, in whatever order. */
export function requireTheSame(a: Item, b: Item): boolean {
  return a.requires === b.requires ||
    (a.requires.length === b.requires.length &&
      a.requires.every((key, i) => key === b.requires[i] || b.requires.includes(key)));
}

function cycle(keys: readonly string[]): ReconcilerError {
  return new ReconcilerError(
    "CYCLE",
    `Cannot plan ${keys[0]}: it requires itself (${keys.join(" -> ")}), ` +
      `wanted items without a cycle`,
  );
}
