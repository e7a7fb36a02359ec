import { canonical } from "./objects.ts";

/** What Kubernetes makes names of: no vowels, so that none spells a word (apimachinery, util/rand). */
const LETTERS = "bcdfghjklmnpqrstvwxz2456789";

/** Octets of a suffix. */
const SUFFIX = 5;

/** As long as names of pods may be. */
const LONGEST = 63;

/**
 * What tells pods of one template from those of another: a 32-bit FNV-1a of it, in letters, as in
 * the label `pod-template-hash`.
 */
export function revisionOf(template: unknown): string {
  let hash = 0x811c9dc5;
  for (const octet of new TextEncoder().encode(canonical(template ?? {}))) {
    hash = Math.imul(hash ^ octet, 0x01000193) >>> 0;
  }
  return Array.from(String(hash), (digit) => letter(digit.charCodeAt(0))).join("");
}

/**
 * A pod's name that is not taken: the base and five random letters.
 * @param random gives a number from 0 to below 1
 */
export function podName(base: string, taken: ReadonlySet<string>, random: () => number): string {
  const head = base.slice(0, LONGEST - SUFFIX - 1);
  for (;;) {
    const suffix = Array.from({ length: SUFFIX }, () => letter(random() * LETTERS.length));
    const name = `${head}-${suffix.join("")}`;
    if (!taken.has(name)) return name;
  }
}

function letter(number: number): string {
  return LETTERS[Math.floor(number) % LETTERS.length] ?? "";
}
