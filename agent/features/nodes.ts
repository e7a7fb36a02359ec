import type { ClusterConfig } from "@contiv/model";
import type { NodeNetwork } from "../network/mod.ts";
import type { Change, Item } from "../reconciler/api.ts";
import { renderPeer } from "./overlay.ts";
import { renderNodeExclusions } from "./outside.ts";

/**
 * The other nodes: renders what one that joins, changes or leaves brings about, and nothing of the
 * others. Two nodes that claim one key, such as an address, are settled by name: the first has it.
 */
export class NodesFeature {
  readonly #self: NodeNetwork;
  readonly #config: ClusterConfig;
  readonly #translates: boolean;
  readonly #items = new Map<string, ReadonlyMap<string, Item>>();
  /** Names of the nodes that render a key. */
  readonly #claims = new Map<string, string[]>();
  /** Nodes rendered since the start: what events cost. */
  rendered = 0;

  /** @param translates whether sources are translated, so that nodes' addresses are to be left */
  constructor(self: NodeNetwork, config: ClusterConfig, translates: boolean) {
    this.#self = self;
    this.#config = config;
    this.#translates = translates;
    if (translates) this.#put(self.name, renderNodeExclusions(self));
  }

  /** A node came or changed. */
  set(node: NodeNetwork): readonly Change[] {
    if (node.id === this.#self.id) return [];
    this.rendered++;
    return this.#put(node.name, [
      ...renderPeer(this.#self, node, this.#config),
      ...this.#translates ? renderNodeExclusions(node) : [],
    ]);
  }

  /** A node went. This one stays, whatever becomes of its record. */
  delete(name: string): readonly Change[] {
    return name === this.#self.name ? [] : this.#put(name, []);
  }

  /** Names of the other nodes. */
  names(): readonly string[] {
    return [...this.#items.keys()].filter((name) => name !== this.#self.name).sort();
  }

  /** How many other nodes there are. */
  get size(): number {
    return this.#items.size - (this.#items.has(this.#self.name) ? 1 : 0);
  }

  /** All that is wanted, for a resync. */
  all(): readonly Item[] {
    return Array.from(this.#claims, ([key, names]) => this.#items.get(names[0]!)!.get(key)!);
  }

  #put(name: string, items: readonly Item[]): readonly Change[] {
    const before = this.#items.get(name) ?? new Map<string, Item>();
    const after = new Map(items.map((item) => [item.key, item]));
    if (after.size > 0) this.#items.set(name, after);
    else this.#items.delete(name);
    const touched = new Set([...before.keys(), ...after.keys()]);
    for (const key of touched) {
      const names = (this.#claims.get(key) ?? []).filter((each) => each !== name);
      if (after.has(key)) names.push(name);
      if (names.length > 0) this.#claims.set(key, names.sort());
      else this.#claims.delete(key);
    }
    return Array.from(touched, (key): Change => {
      const [first] = this.#claims.get(key) ?? [];
      const item = first === undefined ? undefined : this.#items.get(first)?.get(key);
      return item ?? { key, delete: true };
    });
  }
}
