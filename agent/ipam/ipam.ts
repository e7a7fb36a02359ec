import type { Family, IpAddress } from "@contiv/net";
import { AddressPool } from "./address_pool.ts";
import { IpamError } from "./error.ts";
import type { NodePrefix } from "./node_prefix.ts";

/** What one attachment holds: one address per family, IPv4 first. */
export interface Allocation {
  readonly key: string;
  readonly addresses: readonly IpAddress[];
}

/** A record that does not fit: what is wrong, and with which address. */
export interface AllocationProblem {
  readonly key: string;
  readonly address: IpAddress;
  /**
   * `outside`: no pod of this node may have it; the attachment keeps it until it is released.
   * `doubled`: `holder` has it, or has the same key; the record was not taken over.
   */
  readonly problem: "outside" | "doubled";
  readonly holder?: string;
}

/** The addresses of one node's attachments, in each family that the node has a prefix of. */
export class Ipam {
  #pools: readonly AddressPool[];
  readonly #held = new Map<string, readonly IpAddress[]>();

  /**
   * @param layouts at most one per family
   * @throws {IpamError} BAD_PREFIX if there is none, or two of one family
   */
  constructor(layouts: readonly NodePrefix[]) {
    const sorted = [...layouts].sort((a, b) => a.prefix.family - b.prefix.family);
    const families = new Set(sorted.map((layout) => layout.prefix.family));
    if (sorted.length === 0 || families.size !== sorted.length) {
      throw new IpamError(
        "BAD_PREFIX",
        `Cannot serve pod addresses of ${sorted.map((l) => l.prefix).join(", ") || "no prefix"}: ` +
          `${sorted.length} prefixes of ${families.size} families, wanted one per family`,
      );
    }
    this.#pools = sorted.map((layout) => new AddressPool(layout));
  }

  /** The node's prefixes, IPv4 first. */
  get layouts(): readonly NodePrefix[] {
    return this.#pools.map((pool) => pool.layout);
  }

  layout(family: Family): NodePrefix | undefined {
    return this.#pool(family)?.layout;
  }

  /** Attachments that hold addresses. */
  get size(): number {
    return this.#held.size;
  }

  /**
   * One address per family, IPv4 first; the same ones if the key has them already. Either all
   * families or none.
   * @throws {IpamError} EXHAUSTED
   */
  allocate(key: string): readonly IpAddress[] {
    const held = this.#held.get(key);
    if (held) return held;
    const addresses: IpAddress[] = [];
    try {
      for (const pool of this.#pools) addresses.push(pool.allocate());
    } catch (error) {
      this.#giveBack(addresses);
      throw error;
    }
    this.#held.set(key, addresses);
    return addresses;
  }

  /** Takes an attachment's addresses back and says which; none if it has none. */
  release(key: string): readonly IpAddress[] {
    const addresses = this.#held.get(key) ?? [];
    this.#held.delete(key);
    this.#giveBack(addresses);
    return addresses;
  }

  get(key: string): readonly IpAddress[] | undefined {
    return this.#held.get(key);
  }

  list(): readonly Allocation[] {
    return Array.from(this.#held, ([key, addresses]) => ({ key, addresses }));
  }

  /**
   * Replaces all allocations by the recorded ones and reports those that do not fit. Of two records
   * with a key or an address in common, the first is taken over.
   */
  rebuild(records: Iterable<Allocation>): readonly AllocationProblem[] {
    this.#pools = this.#pools.map((pool) => new AddressPool(pool.layout));
    this.#held.clear();
    const holders = new Map<string, string>();
    const problems: AllocationProblem[] = [];
    for (const { key, addresses } of records) {
      const texts = addresses.map(String);
      const doubled = addresses.findIndex((_, i) =>
        this.#held.has(key) || holders.has(texts[i] ?? "") || texts.indexOf(texts[i] ?? "") < i
      );
      const address = addresses[doubled];
      if (address !== undefined) {
        const holder = holders.get(address.toString()) ?? key;
        problems.push({ key, address, problem: "doubled", holder });
        continue;
      }
      for (const address of addresses) {
        holders.set(address.toString(), key);
        const pool = this.#pool(address.family);
        if (pool?.layout.isPodAddress(address)) pool.reserve(address);
        else problems.push({ key, address, problem: "outside" });
      }
      this.#held.set(key, [...addresses]);
    }
    return problems;
  }

  #pool(family: Family): AddressPool | undefined {
    return this.#pools.find((pool) => pool.layout.prefix.family === family);
  }

  #giveBack(addresses: readonly IpAddress[]): void {
    for (const address of addresses) this.#pool(address.family)?.release(address);
  }
}
