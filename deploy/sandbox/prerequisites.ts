/** Bits of a capability set (linux/capability.h). */
const CAPABILITIES = { CAP_NET_ADMIN: 12, CAP_NET_RAW: 13, CAP_SYS_ADMIN: 21 } as const;

const NETNS_DIRECTORY = "/run/netns";

/**
 * What this process lacks to build a sandbox, one sentence each with its remedy; empty if nothing.
 */
export function missingPrerequisites(): string[] {
  const missing: string[] = [];
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(Deno.readTextFileSync("/proc/self/status"));
  const held = BigInt(`0x${effective?.[1] ?? "0"}`);
  for (const [name, bit] of Object.entries(CAPABILITIES)) {
    if ((held >> BigInt(bit) & 1n) === 0n) {
      missing.push(`the capability ${name}, for namespaces and interfaces: run as root`);
    }
  }
  try {
    Deno.openSync("/dev/net/tun", { read: true, write: true }).close();
  } catch (error) {
    missing.push(
      `/dev/net/tun, for the pods' interfaces (${reason(error)}): load the kernel module tun, ` +
        "or pass the device to this container",
    );
  }
  try {
    Deno.mkdirSync(NETNS_DIRECTORY, { recursive: true });
    const probe = `${NETNS_DIRECTORY}/.contiv-${Deno.pid}`;
    Deno.writeFileSync(probe, new Uint8Array());
    Deno.removeSync(probe);
  } catch (error) {
    missing.push(`a writable ${NETNS_DIRECTORY}, for named namespaces (${reason(error)})`);
  }
  return missing;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
