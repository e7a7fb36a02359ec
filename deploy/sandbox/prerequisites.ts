/** Bits of a capability set (linux/capability.h). */
const CAPABILITIES = { CAP_NET_ADMIN: 12, CAP_NET_RAW: 13, CAP_SYS_ADMIN: 21 } as const;

/**
 * The rights that this process lacks to build a sandbox, one sentence each with its remedy.
 * @param status the text of /proc/self/status
 */
export function missingRights(status: string): string[] {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status);
  const held = BigInt(`0x${effective?.[1] ?? "0"}`);
  return Object.entries(CAPABILITIES).filter(([, bit]) => (held >> BigInt(bit) & 1n) === 0n)
    .map(([name]) => `the capability ${name}, for namespaces and interfaces: run as root`);
}

/** Why namespaces cannot be named in a directory; `undefined` if they can. */
export function namespaceDirectoryProblem(directory: string): string | undefined {
  try {
    Deno.mkdirSync(directory, { recursive: true });
    const probe = `${directory}/.contiv-${Deno.pid}`;
    Deno.writeFileSync(probe, new Uint8Array());
    Deno.removeSync(probe);
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `a writable ${directory}, for named namespaces (${reason})`;
  }
}
