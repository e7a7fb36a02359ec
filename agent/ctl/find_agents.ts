import { UsageError } from "@contiv/cli";
import type { VswitchNode } from "@contiv/model";
import { AgentClient } from "./agent_client.ts";

/** Agents that this machine reaches. */
export interface ReachedAgents {
  /** By their nodes' names. */
  readonly agents: ReadonlyMap<string, AgentClient>;
  /** Sockets that exist here and on which nobody answers, and why. */
  readonly silent: ReadonlyMap<string, string>;
}

/** Where an agent listens unless it is told otherwise. */
const DEFAULT_SOCKET = "/run/contiv/agent-status.sock";

/**
 * Reads `--agents`: `NODE=SOCKET`, separated by commas.
 * @throws {UsageError}
 */
export function readAgents(text: string | undefined): ReadonlyMap<string, string> {
  const words = (text ?? "").split(",").map((word) => word.trim()).filter((word) => word !== "");
  return new Map(words.map((word) => {
    const [node = "", ...socket] = word.split("=");
    if (node !== "" && socket.join("=").startsWith("/")) return [node, socket.join("=")];
    throw new UsageError(`--agents has ${word}, NODE=SOCKET with an absolute path wanted`);
  }));
}

/**
 * Tries the sockets that nodes tell of, the default one, and those that the operator named. All
 * nodes may tell the same path and mean each its own machine: which node's agent it is, the agent
 * says itself.
 */
export async function findAgents(
  nodes: Iterable<Pick<VswitchNode, "statusSocket">>,
  named: ReadonlyMap<string, string>,
): Promise<ReachedAgents> {
  const told = Array.from(nodes, ({ statusSocket }) => statusSocket);
  const paths = new Set([...named.values(), ...told, DEFAULT_SOCKET]);
  const agents = new Map<string, AgentClient>();
  const silent = new Map<string, string>();
  await Promise.all(Array.from(paths, async (path) => {
    const isNamed = [...named.values()].includes(path);
    if (!isNamed && !exists(path)) return;
    const client = new AgentClient(path);
    const { body, status } = await client.get("/status");
    const node = status === 200 ? nodeNameOf(body) : undefined;
    if (node !== undefined) agents.set(node, client);
    else silent.set(path, status === 0 ? body : `it answers ${status}`);
  }));
  return { agents, silent };
}

function nodeNameOf(body: string): string | undefined {
  try {
    const { nodeName } = JSON.parse(body) as { nodeName?: unknown };
    return typeof nodeName === "string" ? nodeName : undefined;
  } catch {
    return undefined;
  }
}

function exists(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSocket === true;
  } catch {
    return false;
  }
}
