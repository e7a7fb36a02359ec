import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { Attachment, AttachmentState } from "./attachment.ts";

/** A recorded attachment, and the digest that was recorded with it. */
export interface AttachmentRow {
  readonly attachment: Attachment;
  readonly digest: string;
}

/** All recorded attachments, oldest first. Nothing is checked. */
export function readRows(database: DatabaseSync): readonly AttachmentRow[] {
  const addresses = new Map<string, string[]>();
  const rows = database.prepare(
    "SELECT attachment_id, address FROM address ORDER BY attachment_id, position",
  ).all();
  for (const row of rows) {
    const id = String(row["attachment_id"]);
    const list = addresses.get(id);
    if (list === undefined) addresses.set(id, [String(row["address"])]);
    else list.push(String(row["address"]));
  }
  return database.prepare("SELECT * FROM attachment ORDER BY rowid").all().map((row) => {
    const namespace = row["pod_namespace"];
    const id = String(row["id"]);
    const attachment: Attachment = {
      id,
      network: String(row["network"]),
      containerId: String(row["container_id"]),
      ifname: String(row["ifname"]),
      state: row["state"] as AttachmentState,
      netns: { path: String(row["netns_path"]), inode: String(row["netns_inode"]) },
      addresses: addresses.get(id) ?? [],
      mac: String(row["mac"]),
      mtu: Number(row["mtu"]),
      rank: Number(row["rank"]),
      createdAt: Number(row["created_at"]),
      ...(typeof namespace !== "string" ? {} : {
        pod: { namespace, name: String(row["pod_name"]), uid: String(row["pod_uid"]) },
      }),
    };
    return { attachment, digest: String(row["digest"]) };
  });
}

/**
 * What tells a record whose octets were changed by something else than an agent: 64 bits of a
 * SHA-256 over all of it, as hexadecimal. SQLite itself notices broken pages, not broken text.
 */
export function digestOf(attachment: Attachment): string {
  const { id, network, containerId, ifname, state, netns, addresses, mac, mtu, rank } = attachment;
  const { pod, createdAt } = attachment;
  const text = JSON.stringify([
    [id, network, containerId, ifname, state, netns.path, netns.inode, mac, mtu, rank, createdAt],
    addresses,
    pod === undefined ? [] : [pod.namespace, pod.name, pod.uid],
  ]);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
