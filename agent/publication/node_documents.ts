import {
  encodeVswitchNode,
  encodeVswitchPod,
  parseVswitchKey,
  type VswitchNode,
  vswitchNodeKey,
  type VswitchPod,
  vswitchPodKey,
} from "@contiv/model";
import { IpAddress } from "@contiv/net";
import type { Attachment } from "../attachments/mod.ts";
import type { PodLinkMeta } from "../descriptors/vpp/mod.ts";
import type { Documents } from "./publisher.ts";

/** Where a node's documents come from. */
export interface NodeSource {
  readonly node: VswitchNode;
  readonly boot: string;
  readonly attachments: {
    list(): readonly Attachment[];
    get(id: string): Attachment | undefined;
  };
  /** What is known of an attachment's interface, if it is made. */
  readonly link: (id: string) => PodLinkMeta | undefined;
}

/** A node and its pods as they stand in the store. */
export function nodeDocuments(source: NodeSource): Documents {
  const { attachments, boot, link, node } = source;
  const own = vswitchNodeKey(node.name);
  return {
    *keys(): Iterable<string> {
      yield own;
      for (const { id } of attachments.list()) yield vswitchPodKey(node.name, id);
    },
    value(key): string | undefined {
      if (key === own) return encodeVswitchNode(node);
      const parsed = parseVswitchKey(key);
      if (parsed?.type !== "pod") return undefined;
      const attachment = attachments.get(parsed.id);
      if (attachment === undefined) return undefined;
      return encodeVswitchPod(vswitchPod(node.name, boot, attachment, link(parsed.id)));
    },
  };
}

/** An attachment in the store's terms. */
export function vswitchPod(
  node: string,
  boot: string,
  attachment: Attachment,
  link: PodLinkMeta | undefined,
): VswitchPod {
  const { id, network, containerId, ifname, state, netns, addresses } = attachment;
  const { mac, mtu, rank, createdAt, pod } = attachment;
  return {
    node,
    id,
    network,
    containerId,
    ifname,
    state,
    netns: netns.path,
    inode: netns.inode,
    boot,
    addresses: addresses.map((text) => IpAddress.parse(text)),
    mac,
    mtu,
    rank,
    createdAt,
    ...pod && { pod },
    ...link && { interface: { index: link.swIfIndex, device: link.nodeDevice ?? "" } },
  };
}

/** The attachment that {@link vswitchPod} was made of. */
export function attachmentOf(pod: VswitchPod): Attachment {
  const { id, network, containerId, ifname, state, netns, inode, addresses } = pod;
  const { mac, mtu, rank, createdAt } = pod;
  return {
    id,
    network,
    containerId,
    ifname,
    state,
    netns: { path: netns, inode },
    addresses: addresses.map(String),
    mac,
    mtu,
    rank,
    createdAt,
    ...pod.pod && { pod: pod.pod },
  };
}
