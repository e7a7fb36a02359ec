import type { Item, Operation, OperationType } from "./api.ts";
import { type Decision, Decisions, type Descriptors, disturbs } from "./_decide.ts";
import type { Graph } from "./graph.ts";

/** An operation before the plan's order is known. */
interface Step {
  readonly type: OperationType;
  readonly key: string;
  readonly before?: Item;
  readonly after?: Item;
  waitsFor: Step[];
  /** How many steps must follow each other up to this one; its place among the others. */
  level: number;
  index: number;
}

/** A decision's steps: what ends the item as applied, and what makes it as wanted. */
interface Steps {
  readonly ends?: Step;
  readonly makes?: Step;
}

/**
 * What must be done so that the applied side of these items, and of those that depend on them,
 * becomes as wanted.
 *
 * Ordered by dependency, then by key, whatever the order of the keys or of the graph. Items whose
 * requirements are not met get no operation, and are deleted if they exist. Reads the changed
 * items, what they require, and what depends on those that are created, recreated or deleted.
 *
 * @throws {ReconcilerError} CYCLE if items require each other, by their names
 */
export function plan(
  graph: Graph,
  descriptors: Descriptors,
  changedKeys: Iterable<string>,
): readonly Operation[] {
  const decisions = new Decisions(graph, descriptors);
  for (const key of changedKeys) decisions.make(key);
  // The walk meets the decisions that it adds.
  for (const { key, action } of decisions.all()) {
    if (disturbs(action)) {
      for (const dependent of graph.dependents(key)) decisions.make(dependent);
    }
  }
  const steps = new Map<string, Steps>();
  for (const decision of decisions.all()) {
    if (decision.action !== "none") steps.set(decision.key, stepsOf(decision));
  }
  for (const [key, { ends, makes }] of steps) {
    if (ends?.type === "delete") {
      for (const dependent of graph.dependents(key)) {
        const leaves = steps.get(dependent)?.ends;
        if (leaves?.before?.requires.includes(key)) ends.waitsFor.push(leaves);
      }
    }
    for (const required of makes?.after?.requires ?? []) {
      const stands = steps.get(required)?.makes;
      if (stands) makes?.waitsFor.push(stands);
    }
  }
  return inOrder(steps);
}

/** The whole difference between wanted and applied, for start and healing. */
export function planAll(graph: Graph, descriptors: Descriptors): readonly Operation[] {
  return plan(graph, descriptors, graph.keys());
}

function stepsOf({ key, node, action }: Decision): Steps {
  const before = node.applied?.item;
  const after = node.wanted;
  const step = (type: OperationType, sides: Pick<Step, "before" | "after">): Step => (
    { type, key, ...sides, waitsFor: [], level: 0, index: 0 }
  );
  if (action === "update" && before && after) {
    const update = step("update", { before, after });
    return { ends: update, makes: update };
  }
  const ends = before && action !== "create" ? step("delete", { before }) : undefined;
  if (action === "delete" || !after) return ends ? { ends } : {};
  const makes = step("create", { after });
  if (!ends) return { makes };
  makes.waitsFor.push(ends);
  return { ends, makes };
}

function inOrder(all: ReadonlyMap<string, Steps>): readonly Operation[] {
  const steps: Step[] = [];
  for (const { ends, makes } of all.values()) {
    if (ends) steps.push(ends);
    if (makes && makes !== ends) steps.push(makes);
  }
  setLevels(steps);
  steps.sort((a, b) => a.level - b.level || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  steps.forEach((step, i) => step.index = i);
  return steps.map(({ type, key, before, after, waitsFor }) => ({
    type,
    key,
    ...(before && { before }),
    ...(after && { after }),
    waitsFor: waitsFor.map((step) => step.index).sort((a, b) => a - b),
  }));
}

/** Sets each step's level to one more than the highest that it waits for. */
function setLevels(steps: readonly Step[]): void {
  const open = new Map<Step, number>();
  const waiters = new Map<Step, Step[]>();
  const ready: Step[] = [];
  for (const step of steps) {
    if (step.waitsFor.length === 0) ready.push(step);
    else open.set(step, step.waitsFor.length);
    for (const other of step.waitsFor) {
      const list = waiters.get(other);
      if (list) list.push(step);
      else waiters.set(other, [step]);
    }
  }
  const settle = (): void => {
    for (let step = ready.pop(); step; step = ready.pop()) {
      for (const waiter of waiters.get(step) ?? []) {
        waiter.level = Math.max(waiter.level, step.level + 1);
        const left = (open.get(waiter) ?? 0) - 1;
        if (left > 0) open.set(waiter, left);
        else if (open.delete(waiter)) ready.push(waiter);
      }
    }
  };
  settle();
  // Applied items can stand on each other after a failed update, although wanted ones never do:
  // their deletions then go without waiting for each other.
  while (open.size > 0) {
    const stuck = [...open.keys()].filter((step) => step.type === "delete");
    for (const step of stuck) step.waitsFor = step.waitsFor.filter((other) => !open.has(other));
    for (const step of stuck) if (open.delete(step)) ready.push(step);
    if (stuck.length === 0) return;
    settle();
  }
}
