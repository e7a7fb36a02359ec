import type { Descriptor, Item, Operation, Retrieved } from "./api.ts";

/** What a fake object is made of. Another `shape` needs another object. */
export interface FakeValue {
  readonly shape: number;
  readonly text: string;
}

/** How an operation goes wrong: with nothing done, with all done, or without an end. */
export type FakeFailure = "before" | "after" | "silence";

interface FakeObject {
  readonly value: FakeValue;
  readonly requires: readonly string[];
  readonly meta: number;
}

export function fakeItem(
  key: string,
  text = "",
  requires: readonly string[] = [],
  shape = 0,
): Item<FakeValue> {
  return { key, value: { shape, text }, requires };
}

/** Operations in short: `create a/1`. */
export function inShort(operations: readonly Operation[]): string[] {
  return operations.map(({ type, key }) => `${type} ${key}`);
}

/**
 * An outside world for tests: kinds `a`, `b` and `c` (the last cannot update), each retrieved after
 * the one before. Keeps its history, notes whoever broke the order, and fails when told to.
 */
export class FakeWorld {
  readonly objects = new Map<string, FakeObject>();
  readonly history: string[] = [];
  /** Creates without what they stand on, deletes of what others stand on. */
  readonly violations: string[] = [];
  /** Asked before each operation, e.g. about `create a/1`. */
  failing: (operation: string) => FakeFailure | undefined = () => undefined;
  /** How many operations are under way, and how many have been at most. */
  inFlight = 0;
  maxInFlight = 0;
  retrievals: string[] = [];
  #nextMeta = 1;

  readonly descriptors: readonly Descriptor<FakeValue, number>[] = [
    this.#descriptor("a", [], true),
    this.#descriptor("b", ["a"], true),
    this.#descriptor("c", ["b"], false),
  ];

  /** Puts an object there that nobody asked for. */
  add(key: string, text = "", requires: readonly string[] = []): void {
    this.objects.set(key, { value: { shape: 0, text }, requires, meta: this.#nextMeta++ });
  }

  async #operation(name: string, work: () => void): Promise<void> {
    this.history.push(name);
    this.maxInFlight = Math.max(this.maxInFlight, ++this.inFlight);
    const failure = this.failing(name);
    await Promise.resolve();
    this.inFlight--;
    if (failure !== "before" && failure !== "silence") work();
    if (failure === "silence") await new Promise(() => {});
    if (failure) throw new Error(`${name} fails`);
  }

  async #put(type: string, item: Item<FakeValue>, meta: number): Promise<number> {
    await this.#operation(`${type} ${item.key}`, () => {
      for (const required of item.requires) {
        if (!this.objects.has(required)) this.violations.push(`${item.key} without ${required}`);
      }
      this.objects.set(item.key, { value: item.value, requires: item.requires, meta });
    });
    return meta;
  }

  #descriptor(kind: string, after: string[], canUpdate: boolean): Descriptor<FakeValue, number> {
    return {
      kind,
      after,
      create: (item, context) => {
        for (const required of item.requires) context.meta(required);
        return this.#put("create", item, this.#nextMeta++);
      },
      ...(canUpdate && {
        update: (_before: Item<FakeValue>, after: Item<FakeValue>, meta: number) =>
          this.#put("update", after, meta),
      }),
      needsRecreate: (before, after) => before.shape !== after.shape,
      delete: (item) =>
        this.#operation(`delete ${item.key}`, () => {
          for (const [other, { requires }] of this.objects) {
            if (requires.includes(item.key)) this.violations.push(`${other} lost ${item.key}`);
          }
          this.objects.delete(item.key);
        }),
      retrieve: async () => {
        this.retrievals.push(kind);
        await this.#operation(`retrieve ${kind}`, () => {});
        return [...this.objects].filter(([key]) => key.startsWith(`${kind}/`)).map(
          ([key, { value, meta }]): Retrieved<FakeValue, number> => ({ key, value, meta }),
        );
      },
      equal: (a, b) => a.shape === b.shape && a.text === b.text,
    };
  }
}
