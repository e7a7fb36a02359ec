import type { Labels } from "./labels.ts";

/** Different sets of labels that are kept; beyond them the pool starts over. */
const MAX_KEPT = 20_000;

/** Gives equal labels one map: the pods of a workload mostly have the same. */
export class LabelsPool {
  readonly #kept = new Map<string, Labels>();

  share(labels: Labels): Labels {
    if (labels.size === 0) return labels;
    // NUL stands in no label. The order is the writer's, who writes equal labels equally.
    let key = "";
    for (const [name, value] of labels) key += `${name}\0${value}\0`;
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(key, labels);
    return labels;
  }
}
