import type { IpPrefix } from "@contiv/net";
import { Ip4Lpm } from "../tables/ip4_lpm.ts";
import { Ip6Lpm } from "../tables/ip6_lpm.ts";
import { addressWord } from "../words.ts";
import { DESTINATION, SOURCE } from "./tuple.ts";

/** `cnat_snat_policies` (VPP: cnat.api). */
export const SnatPolicyType = { NONE: 0, IF_PFX: 1, K8S: 2, DNAT: 3, DNAT_ONLY: 4 } as const;

/** `cnat_snat_policy_table` (VPP: cnat.api). */
export const SnatTable = { INCLUDE_V4: 0, INCLUDE_V6: 1, POD: 2, HOST: 3 } as const;

/** Whose source is translated on its way out (VPP: cnat_snat_policy.c). */
export class SnatPolicy {
  /** One of {@link SnatPolicyType}. */
  type: number = SnatPolicyType.NONE;
  /** Addresses that sources are translated to, in the words of a tuple. */
  readonly source4 = new Int32Array(4);
  readonly source6 = new Int32Array(4);
  /** By {@link SnatTable} and sw_if_index. */
  readonly #members = Object.values(SnatTable).map(() => new Set<number>());
  /** Destinations that are left alone. */
  readonly #excluded4 = new Ip4Lpm();
  readonly #excluded6 = new Ip6Lpm();

  /** Puts an interface into a table or takes it out. */
  setMember(table: number, swIfIndex: number, isMember: boolean): void {
    if (isMember) this.#members[table]?.add(swIfIndex);
    else this.#members[table]?.delete(swIfIndex);
  }

  setExcluded(prefix: IpPrefix, isExcluded: boolean): void {
    const { address, length, family } = prefix.network();
    const word = (i: number): number => addressWord(address, i);
    if (family === 4) {
      if (isExcluded) this.#excluded4.set(word(0), length, 1);
      else this.#excluded4.delete(word(0), length);
    } else if (isExcluded) {
      this.#excluded6.set(word(0), word(1), word(2), word(3), length, 1);
    } else this.#excluded6.delete(word(0), word(1), word(2), word(3), length);
  }

  /** Whether the source of a flow that comes by one interface and leaves by another is translated. */
  translates(
    family: 4 | 6,
    tuples: Int32Array,
    at: number,
    rxIndex: number,
    txIndex: number,
  ): boolean {
    switch (this.type) {
      case SnatPolicyType.NONE:
        return true;
      case SnatPolicyType.IF_PFX:
        return this.#leaves(family, tuples, at, rxIndex);
      default:
        return this.#kubernetes(family, tuples, at, rxIndex, txIndex);
    }
  }

  #kubernetes(
    family: 4 | 6,
    tuples: Int32Array,
    at: number,
    rxIndex: number,
    txIndex: number,
  ): boolean {
    if (this.#members[SnatTable.HOST]!.has(txIndex)) return false;
    if (this.#leaves(family, tuples, at, rxIndex)) return true;
    const pods = this.#members[SnatTable.POD]!;
    if (!pods.has(rxIndex) && !pods.has(txIndex)) {
      const own = family === 4 ? this.source4 : this.source6;
      for (let i = 0; i < 4; i++) if (tuples[at + SOURCE + i] !== own[i]) return true;
      return false;
    }
    // One that reaches itself through a service would answer itself directly.
    for (let i = 0; i < 4; i++) {
      if (tuples[at + SOURCE + i] !== tuples[at + DESTINATION + i]) return false;
    }
    return true;
  }

  #leaves(family: 4 | 6, tuples: Int32Array, at: number, rxIndex: number): boolean {
    const table = family === 4 ? SnatTable.INCLUDE_V4 : SnatTable.INCLUDE_V6;
    if (!this.#members[table]!.has(rxIndex)) return false;
    const to = at + DESTINATION;
    return (family === 4
      ? this.#excluded4.lookup(tuples[to + 3]!)
      : this.#excluded6.lookup(tuples[to]!, tuples[to + 1]!, tuples[to + 2]!, tuples[to + 3]!)) ===
      0;
  }
}
