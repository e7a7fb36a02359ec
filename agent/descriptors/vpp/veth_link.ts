import type { VppClient } from "@contiv/vppapi";
import { attachmentOfTag, type VppInterface } from "../../items/mod.ts";
import { DeviceError, type Namespaces, type PodNamespace } from "../linux/mod.ts";
import { deleted, NO_INTERFACE } from "./_api.ts";
import { openPacketSocket } from "./packet_socket.ts";
import { PacketSocketsError } from "./packet_sockets_error.ts";
import type { PodLink, PodLinkMeta } from "./pod_link.ts";

/**
 * Packet sockets that VPP can hold. It asks the kernel for 16 events at a time and, when it gets as
 * many, asks again before it reads a single frame (vlib/file.c of 26.06): with frames waiting on 16
 * sockets it never does anything else again.
 */
const MAX_SOCKETS = 15;

/** VPP names an interface on a packet socket `host-<device>`. */
const VPP_NAME = /^host-(ctv(?:[0-9a-f]{12}|vpp1))$/;

/**
 * A veth pair whose node end VPP opens as a packet socket: af_packet_create_v3 of af_packet.api. For
 * nodes without /dev/vhost-net, which VPP needs for a TAP, and for few containers.
 */
export function vethLink(namespaces: Namespaces): PodLink {
  /** The end of the last creation: they take turns, as VPP does them one by one anyhow. */
  let last: Promise<unknown> = Promise.resolve();

  const open = async (client: VppClient, name: string, mac: Uint8Array): Promise<number> => {
    const all = await client.dump("sw_interface_dump");
    const sockets = all.filter(({ interface_dev_type }) => interface_dev_type === "af-packet");
    const existing = sockets.find(({ interface_name }) => nodeDeviceOf(interface_name) === name);
    // Left by a creation that did not come to its end.
    if (existing !== undefined) await closeSocket(client, name);
    else if (sockets.length >= MAX_SOCKETS) throw new PacketSocketsError(name, sockets.length);
    return await openPacketSocket(client, name, mac, true);
  };

  return {
    async create(
      client: VppClient,
      value: VppInterface,
      namespace: PodNamespace,
    ): Promise<PodLinkMeta> {
      const { hostIfName, hostMac, mac, mtu, netns, tag } = value;
      const name = nodeDeviceOfTag(tag);
      const existing = namespace.link(hostIfName);
      if (existing === undefined) {
        await namespaces.deleteHostLink(name);
        const pod = { name: hostIfName, mac: hostMac, mtu };
        namespaces.createVeth(netns, { name, mtu }, pod);
        namespaces.setHostLinkUp(name);
      } else if (existing.kind !== "veth" || !existing.mac?.equals(hostMac)) {
        throw new DeviceError("FOREIGN", hostIfName, netns.path);
      }
      const opening = last.then(() => open(client, name, mac.bytes));
      last = opening.catch(() => {});
      const sw_if_index = await opening;
      await client.request("sw_interface_tag_add_del", { is_add: true, sw_if_index, tag });
      return { swIfIndex: sw_if_index, nodeDevice: name };
    },
    async delete(client: VppClient, { nodeDevice }: PodLinkMeta): Promise<void> {
      if (nodeDevice === undefined) return;
      await closeSocket(client, nodeDevice);
      await namespaces.deleteHostLink(nodeDevice);
    },
  };
}

/** What VPP answers for a device that it has no socket on is SYSCALL_ERROR_1. */
async function closeSocket(client: VppClient, device: string): Promise<void> {
  const request = client.request("af_packet_delete", { host_if_name: device });
  await deleted(request, "SYSCALL_ERROR_1", ...NO_INTERFACE);
}

/** The node end's name for an attachment, within Linux' 15 octets. */
export function nodeDeviceOfTag(tag: string): string {
  return `ctv${(attachmentOfTag(tag) ?? "").slice(0, 12)}`;
}

/** The node end of the veth pair that VPP's interface of this name stands on, if it is ours. */
export function nodeDeviceOf(interfaceName: string): string | undefined {
  return VPP_NAME.exec(interfaceName)?.[1];
}
