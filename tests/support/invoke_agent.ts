import {
  callUnary,
  CNI_INVOKE_PATH,
  type CniRequest,
  decodeCniReply,
  encodeCniRequest,
} from "@contiv/rpc";
import type { TestNode } from "./test_node.ts";

export interface AgentInvocation {
  readonly command: "ADD" | "DEL";
  readonly containerId: string;
  /** Path of the container's namespace. */
  readonly netns: string;
  readonly signal?: AbortSignal;
}

/**
 * Calls a node's agent as the plugin does, without the plugin's process.
 * @returns milliseconds that the call took
 * @throws {Error} with the agent's message if it answers with an error
 */
export async function invokeAgent(
  { sandbox }: TestNode,
  { command, containerId, netns, signal = new AbortController().signal }: AgentInvocation,
): Promise<number> {
  const request: CniRequest = {
    command,
    containerId,
    netns,
    ifname: "eth0",
    args: `IgnoreUnknown=1;K8S_POD_NAMESPACE=test;K8S_POD_NAME=${containerId}`,
    path: "/opt/cni/bin",
    config: new TextEncoder().encode(JSON.stringify(sandbox.networkConfig)),
    cniVersion: "1.1.0",
  };
  const message = encodeCniRequest(request);
  const start = performance.now();
  const bytes = await callUnary({
    socket: sandbox.sockets.cni,
    path: CNI_INVOKE_PATH,
    message,
    timeoutMs: 10_000,
    signal,
  });
  const ms = performance.now() - start;
  const reply = decodeCniReply(bytes);
  if (reply.code !== 0) throw new Error(`Cannot ${command} ${containerId}: ${reply.message}`);
  return ms;
}
