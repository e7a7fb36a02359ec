import { MacAddress } from "@contiv/net";
import { IfStatusFlags, VppApiError, type VppClient } from "@contiv/vppapi";
import {
  attachmentOfTag,
  sameValue,
  type VppInterface,
  vppInterfaceKey,
  type VppInterfaceMeta,
} from "../../items/mod.ts";
import type { Descriptor, Item, Retrieved } from "../../reconciler/api.ts";
import { type Namespaces, tryOpen } from "../linux/mod.ts";
import type { PodLink } from "./pod_link.ts";
import { tapLink } from "./tap_link.ts";
import { vethLink } from "./veth_link.ts";
import type { VppAccess } from "./vpp_access.ts";

interface InterfaceMeta extends VppInterfaceMeta {
  /** VPP's own name, which tells how the interface was made. */
  readonly name: string;
}

/** How containers are connected: `auto` takes veth where VPP cannot make a TAP. */
export type PodLinkKind = "auto" | "tap" | "veth";

/**
 * Containers' interfaces, found by tag. A device that is gone from its namespace, or another one's,
 * makes the interface differ from every wanted one, so that it is made anew.
 */
export function interfaceDescriptor(
  vpp: VppAccess,
  namespaces: Namespaces,
  kind: PodLinkKind = "auto",
): Descriptor<VppInterface, InterfaceMeta> {
  const veth = vethLink(namespaces);
  const links: readonly PodLink[] = [tapLink, veth];
  /** The connections on which VPP has refused a TAP. */
  const withoutTap = new WeakSet<VppClient>();

  const make = async (client: VppClient, value: VppInterface): Promise<number> => {
    const namespace = namespaces.open(value.netns);
    if (kind === "veth" || withoutTap.has(client)) {
      return await veth.create(client, value, namespace);
    }
    try {
      return await tapLink.create(client, value, namespace);
    } catch (error) {
      // What VPP answers when it cannot open /dev/vhost-net (plugins/tap/tap.c).
      const refused = error instanceof VppApiError && error.code === "SYSCALL_ERROR_1";
      if (kind === "tap" || !refused) throw error;
      withoutTap.add(client);
      return await veth.create(client, value, namespace);
    }
  };
  const setUp = async (client: VppClient, swIfIndex: number, mtu: number): Promise<void> => {
    await Promise.all([
      client.request("sw_interface_set_mtu", { sw_if_index: swIfIndex, mtu: [mtu, 0, 0, 0] }),
      client.request("sw_interface_set_flags", {
        sw_if_index: swIfIndex,
        flags: IfStatusFlags.ADMIN_UP,
      }),
    ]);
  };
  const remove = async (client: VppClient, meta: InterfaceMeta): Promise<void> => {
    await links.find((link) => link.owns(meta.name))?.delete(client, meta.swIfIndex, meta.name);
  };

  return {
    kind: "vpp-interface",
    async create({ value }): Promise<InterfaceMeta> {
      const client = vpp.client();
      const swIfIndex = await make(client, value);
      const named = client.dump("sw_interface_dump", { sw_if_index: swIfIndex });
      const [details] = await Promise.all([named, setUp(client, swIfIndex, value.mtu)]);
      return { swIfIndex, name: details[0]?.interface_name ?? "" };
    },
    async update(_before, { value }, meta): Promise<InterfaceMeta> {
      const client = vpp.client();
      const { swIfIndex: sw_if_index } = meta;
      await Promise.all([
        client.request("sw_interface_tag_add_del", { is_add: true, sw_if_index, tag: value.tag }),
        setUp(client, sw_if_index, value.mtu),
      ]);
      return meta;
    },
    needsRecreate: (before, after) =>
      !sameValue({ ...before, tag: "", mtu: 0 }, { ...after, tag: "", mtu: 0 }),
    async delete({ value }, meta): Promise<void> {
      const client = vpp.client();
      if (meta !== undefined) return await remove(client, meta);
      // Nobody knows whether it exists: a create failed half-way.
      const id = attachmentOfTag(value.tag);
      for (const each of await client.dump("sw_interface_dump")) {
        if (id === undefined || attachmentOfTag(each.tag) !== id) continue;
        await remove(client, { swIfIndex: each.sw_if_index, name: each.interface_name });
      }
    },
    async retrieve(wanted): Promise<Retrieved<VppInterface, InterfaceMeta>[]> {
      const items = new Map(wanted.map((item) => [item.key, item]));
      const seen = new Set<string>();
      const all = await vpp.client().dump("sw_interface_dump");
      return all.flatMap((each) => {
        const id = attachmentOfTag(each.tag);
        const orphan = id === undefined && veth.owns(each.interface_name);
        if (id === undefined && !orphan) return [];
        let key = vppInterfaceKey(id ?? `untagged-${each.sw_if_index}`);
        // A second one of the same attachment is not wanted, whatever it looks like.
        if (seen.has(key)) key = `${key}-${each.sw_if_index}`;
        seen.add(key);
        const item = items.get(key);
        const up = (each.flags & IfStatusFlags.ADMIN_UP) !== 0;
        return [{
          key,
          value: {
            tag: each.tag,
            netns: item?.value.netns ?? { path: "", inode: "" },
            hostIfName: item !== undefined && hasDevice(item) ? item.value.hostIfName : "",
            hostMac: item?.value.hostMac ?? MacAddress.from(each.l2_address),
            mac: MacAddress.from(each.l2_address),
            // One that is down differs from every wanted one, and an update sets it up.
            mtu: up ? each.mtu[0] ?? 0 : 0,
          },
          meta: { swIfIndex: each.sw_if_index, name: each.interface_name },
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
