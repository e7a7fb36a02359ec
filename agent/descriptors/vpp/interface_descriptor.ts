import { MacAddress } from "@contiv/net";
import { VppApiError, type VppClient } from "@contiv/vppapi";
import {
  attachmentOfInterfaceKey,
  attachmentOfTag,
  sameValue,
  type VppInterface,
  vppInterfaceKey,
} from "../../items/mod.ts";
import type { Descriptor, Item, Retrieved } from "../../reconciler/api.ts";
import { type InNamespaceOptions, tryOpen } from "../linux/mod.ts";
import { InterfaceOwners } from "./interface_owners.ts";
import type { PodLinkMeta } from "./pod_link.ts";
import { tapLink } from "./tap_link.ts";
import { nodeDeviceOf, nodeDeviceOfTag, vethLink } from "./veth_link.ts";
import type { VppAccess } from "./vpp_access.ts";

/** What VPP answers when it cannot open /dev/vhost-net, and /dev/net/tun (plugins/tap/tap.c). */
const WITHOUT_TAP: readonly string[] = ["SYSCALL_ERROR_1", "SYSCALL_ERROR_2"];

/** How containers are connected: `auto` takes veth where VPP cannot make a TAP. */
export type PodLinkKind = "auto" | "tap" | "veth";

/**
 * Containers' interfaces, found by tag. A device that is gone from its namespace, or another one's,
 * makes the interface differ from every wanted one, so that it is made anew.
 *
 * @param owners is told whose each interface is
 */
export function interfaceDescriptor(
  vpp: VppAccess,
  { namespaces, arrivals }: InNamespaceOptions,
  kind: PodLinkKind = "auto",
  owners: InterfaceOwners = new InterfaceOwners(),
): Descriptor<VppInterface, PodLinkMeta> {
  const veth = vethLink(namespaces);
  /** The connections on which VPP has refused a TAP. */
  const withoutTap = new WeakSet<VppClient>();

  const make = async (client: VppClient, value: VppInterface): Promise<PodLinkMeta> => {
    const namespace = namespaces.open(value.netns);
    // A device that is there from before VPP restarted says how it was made.
    const isVeth = namespace.link(value.hostIfName)?.kind === "veth";
    if (kind === "veth" || isVeth || withoutTap.has(client)) {
      return await veth.create(client, value, namespace);
    }
    try {
      return await tapLink.create(client, value, namespace);
    } catch (error) {
      const code = error instanceof VppApiError ? error.code : undefined;
      if (kind === "tap" || code === undefined || !WITHOUT_TAP.includes(code)) throw error;
      if (code === "SYSCALL_ERROR_1") withoutTap.add(client);
      // The other is also what is answered for a namespace that has gone, which this throws for.
      return await veth.create(client, value, namespaces.open(value.netns));
    }
  };
  const remove = async (client: VppClient, meta: PodLinkMeta): Promise<void> => {
    await (meta.nodeDevice === undefined ? tapLink : veth).delete(client, meta);
    owners.delete(meta.swIfIndex);
  };

  return {
    kind: "vpp-interface",
    async create({ key, value }): Promise<PodLinkMeta> {
      const { netns, hostIfName } = value;
      const meta = await arrivals.during(netns, hostIfName, make(vpp.client(), value));
      owners.set(meta.swIfIndex, attachmentOfInterfaceKey(key));
      return meta;
    },
    async update(_before, { value }, meta): Promise<PodLinkMeta> {
      const { tag } = value;
      const fields = { is_add: true, sw_if_index: meta.swIfIndex, tag };
      await vpp.client().request("sw_interface_tag_add_del", fields);
      return meta;
    },
    needsRecreate: (before, after) =>
      !sameValue({ ...before, tag: "", mtu: 0 }, { ...after, tag: "", mtu: 0 }),
    async delete({ value }, meta): Promise<void> {
      const client = vpp.client();
      if (meta !== undefined) return await remove(client, meta);
      // Nobody knows whether it exists: a create failed half-way.
      const id = attachmentOfTag(value.tag);
      if (id === undefined) return;
      for (const each of await client.dump("sw_interface_dump")) {
        const untagged = nodeDeviceOf(each.interface_name) === nodeDeviceOfTag(value.tag);
        if (attachmentOfTag(each.tag) === id || untagged) await remove(client, metaOf(each));
      }
    },
    async retrieve(wanted): Promise<Retrieved<VppInterface, PodLinkMeta>[]> {
      const items = new Map(wanted.map((item) => [item.key, item]));
      const seen = new Set<string>();
      const all = await vpp.client().dump("sw_interface_dump");
      owners.clear();
      return all.flatMap((each) => {
        const id = attachmentOfTag(each.tag);
        if (id !== undefined) owners.set(each.sw_if_index, id);
        const orphan = nodeDeviceOf(each.interface_name) !== undefined;
        if (id === undefined && !orphan) return [];
        let key = vppInterfaceKey(id ?? `untagged-${each.sw_if_index}`);
        // A second one of the same attachment is not wanted, whatever it looks like.
        if (seen.has(key)) key = `${key}-${each.sw_if_index}`;
        seen.add(key);
        const item = items.get(key);
        return [{
          key,
          value: {
            tag: each.tag,
            netns: item?.value.netns ?? { path: "", inode: "" },
            hostIfName: item !== undefined && hasDevice(item) ? item.value.hostIfName : "",
            hostMac: item?.value.hostMac ?? MacAddress.from(each.l2_address),
            mac: MacAddress.from(each.l2_address),
            // VPP does not tell; the device's own is checked where it is.
            mtu: item?.value.mtu ?? 0,
          },
          meta: metaOf(each),
        }];
      });
    },
    equal: sameValue,
  };

  /** Whether the container's end is in its namespace. */
  function hasDevice({ value }: Item<VppInterface>): boolean {
    const device = tryOpen(namespaces, value.netns)?.link(value.hostIfName);
    return device?.mac?.equals(value.hostMac) === true;
  }
}

function metaOf(details: { sw_if_index: number; interface_name: string }): PodLinkMeta {
  const nodeDevice = nodeDeviceOf(details.interface_name);
  const swIfIndex = details.sw_if_index;
  return nodeDevice === undefined ? { swIfIndex } : { swIfIndex, nodeDevice };
}
