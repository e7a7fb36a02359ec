/** Capabilities by their bit (linux/capability.h) that the agent cannot do without. */
const NEEDED: readonly (readonly [bit: bigint, name: string])[] = [
  [12n, "CAP_NET_ADMIN (links, addresses and routes)"],
  [21n, "CAP_SYS_ADMIN (entering network namespaces)"],
];

/**
 * The rights that this process lacks, for people.
 * @param status the text of /proc/self/status
 */
export function missingRights(status: string): readonly string[] {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  const held = BigInt(`0x${effective ?? "0"}`);
  return NEEDED.filter(([bit]) => (held >> bit & 1n) === 0n).map(([, name]) => name);
}
