import { TapFlags, type VppClient } from "@contiv/vppapi";
import type { VppInterface } from "../../items/mod.ts";
import { DeviceError, type PodNamespace } from "../linux/mod.ts";
import { deleted, NO_INTERFACE } from "./_api.ts";
import type { PodLink, PodLinkMeta } from "./pod_link.ts";

/** Frames of up to 64 KB, and a device that outlives VPP's process. */
const FLAGS = TapFlags.GSO | TapFlags.CSUM_OFFLOAD | TapFlags.PERSIST;

/** A TAP: tap_create_v3 of tapv2.api. */
export const tapLink: PodLink = {
  async create(
    client: VppClient,
    value: VppInterface,
    namespace: PodNamespace,
  ): Promise<PodLinkMeta> {
    const { hostIfName, hostMac, mac, mtu, netns, tag } = value;
    const existing = namespace.link(hostIfName);
    const ours = existing?.kind === "tun" && existing.mac?.equals(hostMac) === true;
    if (existing !== undefined && !ours) {
      throw new DeviceError("FOREIGN", hostIfName, netns.path);
    }
    const { sw_if_index } = await client.request("tap_create_v3", {
      use_random_mac: false,
      mac_address: mac.bytes,
      host_namespace_set: true,
      host_namespace: namespace.shortPath,
      host_if_name_set: true,
      host_if_name: hostIfName,
      host_mac_addr_set: true,
      host_mac_addr: hostMac.bytes,
      host_mtu_set: true,
      host_mtu_size: mtu,
      tap_flags: ours ? FLAGS | TapFlags.ATTACH : FLAGS,
      tag,
    });
    return { swIfIndex: sw_if_index };
  },
  async delete(client: VppClient, { swIfIndex }: PodLinkMeta): Promise<void> {
    await deleted(client.request("tap_delete_v2", { sw_if_index: swIfIndex }), ...NO_INTERFACE);
  },
};
