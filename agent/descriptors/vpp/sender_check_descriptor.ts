import {
  attachmentOfInterfaceKey,
  isPodInterface,
  sameValue,
  type VppInterfaceMeta,
  type VppSenderCheck,
  vppSenderCheckKey,
  type VppSenderListMeta,
} from "../../items/mod.ts";
import type { Descriptor, DescriptorContext, Item, Retrieved } from "../../reconciler/api.ts";
import { deleted, keysByIndex, NO_INTERFACE } from "./_api.ts";
import type { VppAccess } from "./vpp_access.ts";

const ALL = 0xffffffff;

/** Which list of senders holds for a container's interface: MACIP lists of acl.api. */
export function senderCheckDescriptor(vpp: VppAccess): Descriptor<VppSenderCheck, undefined> {
  /** VPP puts the list in the place of one that is there. */
  const apply = async (
    { value }: Item<VppSenderCheck>,
    context: DescriptorContext,
  ): Promise<undefined> => {
    await vpp.client().request("macip_acl_interface_add_del", {
      is_add: true,
      sw_if_index: context.meta<VppInterfaceMeta>(value.interface).swIfIndex,
      acl_index: context.meta<VppSenderListMeta>(value.list).aclIndex,
    });
    return undefined;
  };
  return {
    kind: "vpp-sender-check",
    after: ["vpp-interface", "vpp-sender-list"],
    create: apply,
    update: (_before, after, _meta, context) => apply(after, context),
    async delete({ value }, _meta, context): Promise<void> {
      const found = context.tryMeta<VppInterfaceMeta>(value.interface);
      if (found === undefined) return;
      const request = vpp.client().request("macip_acl_interface_add_del", {
        is_add: false,
        sw_if_index: found.swIfIndex,
      });
      await deleted(request, "NO_SUCH_ENTRY", ...NO_INTERFACE);
    },
    async retrieve(_wanted, known): Promise<Retrieved<VppSenderCheck, undefined>[]> {
      const keys = keysByIndex(known);
      const lists = listKeys(known);
      const all = await vpp.client().dump("macip_acl_interface_list_dump", { sw_if_index: ALL });
      return all.flatMap(({ sw_if_index, acls: [index = ALL] }) => {
        const key = keys.get(sw_if_index);
        if (!isPodInterface(key) || index === ALL) return [];
        // A list that is not ours equals none that is wanted.
        const list = lists.get(index) ?? "";
        return [{
          key: vppSenderCheckKey(attachmentOfInterfaceKey(key)),
          value: { interface: key, list },
          meta: undefined,
          requires: list === "" ? [key] : [key, list],
        }];
      });
    },
    equal: sameValue,
  };
}

/** The keys of retrieved lists by their index in VPP. */
function listKeys(known: ReadonlyMap<string, Retrieved>): ReadonlyMap<number, string> {
  const keys = new Map<number, string>();
  for (const [key, { meta }] of known) {
    if (key.startsWith("vpp-sender-list/")) keys.set((meta as VppSenderListMeta).aclIndex, key);
  }
  return keys;
}
