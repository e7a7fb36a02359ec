import { decodeDocument, encodeDocument } from "./_document.ts";
import { VSWITCH_AGENT, type VswitchAgent } from "./vswitch_agent.ts";
import { VSWITCH_NODE, type VswitchNode } from "./vswitch_node.ts";
import { VSWITCH_POD, type VswitchPod } from "./vswitch_pod.ts";

/**
 * Under it stand what agents tell of their nodes' data planes, `NODE/node`, `NODE/agent` and
 * `NODE/pods/ID`. Apart from what all agents follow: what one of them tells is of no use to the
 * others, and would cost every node with every pod of the cluster.
 */
export const VSWITCH_PREFIX = "/contiv/vswitch/v1/";

/** Under it stands all that a node's agent tells. */
export function vswitchPrefix(node: string): string {
  return `${VSWITCH_PREFIX}${node}/`;
}

export function vswitchNodeKey(node: string): string {
  return `${vswitchPrefix(node)}node`;
}

/** Stands there under a lease, for as long as the agent lives. */
export function vswitchAgentKey(node: string): string {
  return `${vswitchPrefix(node)}agent`;
}

export function vswitchPodPrefix(node: string): string {
  return `${vswitchPrefix(node)}pods/`;
}

export function vswitchPodKey(node: string, id: string): string {
  return vswitchPodPrefix(node) + id;
}

export type VswitchKey =
  | { readonly type: "node" | "agent"; readonly node: string }
  | { readonly type: "pod"; readonly node: string; readonly id: string };

/** What a key stands for; `undefined` for those that this version does not know. */
export function parseVswitchKey(key: string): VswitchKey | undefined {
  if (!key.startsWith(VSWITCH_PREFIX)) return undefined;
  const [node = "", folder, id, ...more] = key.slice(VSWITCH_PREFIX.length).split("/");
  if (node === "" || more.length > 0) return undefined;
  if ((folder === "node" || folder === "agent") && id === undefined) return { type: folder, node };
  if (folder === "pods" && id !== undefined && id !== "") return { type: "pod", node, id };
  return undefined;
}

/** Equal values have equal texts. Names are left to the key. */
export function encodeVswitchPod(pod: VswitchPod): string {
  return encodeDocument(VSWITCH_POD, pod);
}

/** @throws {ModelError} that names path and value */
export function decodeVswitchPod(
  node: string,
  id: string,
  stored: string | Uint8Array,
): VswitchPod {
  return decodeDocument(VSWITCH_POD, `vswitch/${node}/pods/${id}`, stored, { node, id });
}

/** See {@link encodeVswitchPod}. */
export function encodeVswitchNode(node: VswitchNode): string {
  return encodeDocument(VSWITCH_NODE, node);
}

/** @throws {ModelError} that names path and value */
export function decodeVswitchNode(name: string, stored: string | Uint8Array): VswitchNode {
  return decodeDocument(VSWITCH_NODE, `vswitch/${name}/node`, stored, { name });
}

/** See {@link encodeVswitchPod}. */
export function encodeVswitchAgent(agent: VswitchAgent): string {
  return encodeDocument(VSWITCH_AGENT, agent);
}

/** @throws {ModelError} that names path and value */
export function decodeVswitchAgent(node: string, stored: string | Uint8Array): VswitchAgent {
  return decodeDocument(VSWITCH_AGENT, `vswitch/${node}/agent`, stored, { node });
}
