import { createHash } from "node:crypto";
import type { PodIdentity } from "./pod_identity.ts";

/** What names an attachment: one interface of one container in one network. Never the pod. */
export interface AttachmentKey {
  /** The network's name: `name` of the CNI configuration. */
  readonly network: string;
  readonly containerId: string;
  readonly ifname: string;
}

/**
 * How far an attachment has come. `adding`: recorded, not answered yet; `ready`: works, and the
 * runtime was or is being told so; `deleting`: withdrawn, its addresses are still taken because
 * something of it may still exist.
 */
export type AttachmentState = "adding" | "ready" | "deleting";

/** A network namespace: where it was found, and which one it was. Paths are used again. */
export interface NamespaceRef {
  readonly path: string;
  /** Inode number, as text since it has 64 bits. */
  readonly inode: string;
}

/** An interface that connects a container, as it is kept across restarts. */
export interface Attachment extends AttachmentKey {
  /** {@link attachmentId} of the key. */
  readonly id: string;
  readonly state: AttachmentState;
  readonly netns: NamespaceRef;
  /** At most one per family, IPv4 first. */
  readonly addresses: readonly string[];
  /** Of the interface in the container. */
  readonly mac: string;
  readonly mtu: number;
  /** 0 for the namespace's first attachment, which has its default route; then 1, 2, ... */
  readonly rank: number;
  /** Absent where the runtime does not say, as `ctr` does not. */
  readonly pod?: PodIdentity;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/**
 * A short name for a key, the same in every process: 80 bits of its SHA-256 as hexadecimal, short
 * enough for VPP's tags of 63 octets.
 */
export function attachmentId(key: AttachmentKey): string {
  // JSON keeps the three apart whatever they contain.
  const text = JSON.stringify([key.network, key.containerId, key.ifname]);
  return createHash("sha256").update(text).digest("hex").slice(0, 20);
}

/** An attachment for people: its pod if known, else its container, and the interface. */
export function describeAttachment(key: AttachmentKey & { readonly pod?: PodIdentity }): string {
  const whose = key.pod ? `${key.pod.namespace}/${key.pod.name}` : key.containerId.slice(0, 13);
  return `${whose} ${key.ifname}`;
}
