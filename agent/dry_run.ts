import { type CommandContext, ExitCode } from "@contiv/cli";
import type { Libc } from "@contiv/libc";
import type { Logger } from "@contiv/log";
import { agentOptions, memoryPath, storeOptions } from "./agent_parts.ts";
import { AttachmentStore } from "./attachments/mod.ts";
import type { AgentConfig } from "./config.ts";
import { Agent } from "./controller/mod.ts";
import { LinuxNamespaces } from "./descriptors/linux/mod.ts";
import { SqliteVppMemory } from "./vpp/mod.ts";

/** Milliseconds that a dry run waits for VPP. */
const DRY_RUN_LIMIT_MS = 10_000;
/** Milliseconds that the end of a dry run may take. */
const STOP_LIMIT_MS = 1_500;

/**
 * Prints the operations that a start would carry out, in an order that could be theirs. Of a cluster
 * it knows what the node last saw.
 */
export async function dryRun(
  config: AgentConfig,
  { stdout }: CommandContext,
  libc: Libc,
  log: Logger,
): Promise<number> {
  try {
    using store = AttachmentStore.copyOf(storeOptions(config, libc));
    using namespaces = new LinuxNamespaces(libc);
    const memory = SqliteVppMemory.snapshot(memoryPath(config), storeOptions(config, libc).bootId);
    const membership = config.store &&
      (await import("./membership.ts")).lastMembership(config, namespaces, log);
    const agent = new Agent({
      ...agentOptions(config, store, memory, namespaces, libc, log),
      ...membership?.agentOptions,
    });
    if (membership !== undefined) agent.network.preload(membership.nodes);
    try {
      const operations = await agent.preview(DRY_RUN_LIMIT_MS);
      for (const { type, key, before, after } of operations) {
        const owner = (after ?? before)?.owner;
        stdout.write(`${type} ${key}${owner === undefined ? "" : ` (${owner})`}\n`);
      }
      stdout.write(`${operations.length} operations\n`);
    } finally {
      await agent.stop(STOP_LIMIT_MS);
    }
    return ExitCode.OK;
  } catch (error) {
    log.error("dry run failed", { error: error instanceof Error ? error.message : String(error) });
    return ExitCode.FAILURE;
  }
}
