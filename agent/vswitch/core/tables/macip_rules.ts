import type { Family } from "@contiv/net";
import { read16, read32 } from "../bytes.ts";
import type { MacipRule } from "../types.ts";

/** What the rules say of a sender. */
export const Verdict = {
  DENY: 0,
  PERMIT: 1,
  /** No rule is for it. */
  MISS: 2,
} as const;

/** A rule: MAC address, 16 and 32 bits, each with its mask; verdict; address words with masks. */
const HEAD = 5;

/**
 * The rules of one family of a MACIP list. Rules that look at the same bits of a sender are one
 * type, a hash table in VPP; types are tried in VPP's order, and of equal rules the last one holds.
 */
export class MacipRules {
  readonly #words: number;
  readonly #stride: number;
  readonly #rules: Int32Array;

  private constructor(family: Family, rules: readonly MacipRule[]) {
    this.#words = family === 4 ? 1 : 4;
    this.#stride = HEAD + 2 * this.#words;
    this.#rules = Int32Array.from(rules.flatMap(encode));
  }

  static of(family: Family, rules: readonly MacipRule[]): MacipRules {
    const own = rules.filter(({ prefix }) => prefix.family === family);
    const counts = new Map<string, number>();
    for (const rule of own) counts.set(typeOf(rule), (counts.get(typeOf(rule)) ?? 0) + 1);
    const metric = (rule: MacipRule): number => metricOf(rule, counts.get(typeOf(rule)) ?? 0);
    return new MacipRules(family, own.reverse().sort((a, b) => metric(b) - metric(a)));
  }

  /**
   * @param mac where the sender's MAC address is in the buffer
   * @param address where its IP address is
   * @returns one of {@link Verdict}
   */
  verdict(buffer: Uint8Array, mac: number, address: number): number {
    const rules = this.#rules;
    const words = this.#words;
    const high = read16(buffer, mac);
    const low = read32(buffer, mac + 2);
    for (let at = 0; at < rules.length; at += this.#stride) {
      if ((high & rules[at + 1]!) !== rules[at] || (low & rules[at + 3]!) !== rules[at + 2]) {
        continue;
      }
      let word = 0;
      let rule = at + HEAD;
      while (
        word < words && (read32(buffer, address + 4 * word) & rules[rule + 1]!) === rules[rule]
      ) {
        word++;
        rule += 2;
      }
      if (word === words) return rules[at + 4]!;
    }
    return Verdict.MISS;
  }
}

function typeOf({ macMask, prefix }: MacipRule): string {
  return `${macMask} ${prefix.length}`;
}

/** VPP's: the more bits, and the more rules of the type, the sooner (plugins/acl/acl.c). */
function metricOf({ macMask, prefix }: MacipRule, count: number): number {
  const bits = macMask.bytes.reduce(
    (sum, octet) => sum + octet.toString(2).split("1").length - 1,
    0,
  );
  return prefix.length + bits + (prefix.family === 6 ? 1 : 0) + 10 * count;
}

function encode({ action, mac, macMask, prefix }: MacipRule): number[] {
  const [highMask, lowMask] = [read16(macMask.bytes, 0), read32(macMask.bytes, 2)];
  const { bytes } = prefix.address;
  const words = Array.from({ length: bytes.length / 4 }, (_, i) => {
    const kept = Math.min(32, Math.max(0, prefix.length - 32 * i));
    const mask = kept === 0 ? 0 : -1 << 32 - kept;
    return [read32(bytes, 4 * i) & mask, mask];
  });
  return [
    read16(mac.bytes, 0) & highMask,
    highMask,
    read32(mac.bytes, 2) & lowMask,
    lowMask,
    action === 0 ? Verdict.DENY : Verdict.PERMIT,
    ...words.flat(),
  ];
}
