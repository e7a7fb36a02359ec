import { IfStatusFlags } from "@contiv/vppapi";
import {
  attachmentOfInterfaceKey,
  isOurLink,
  sameValue,
  type VppInterfaceMeta,
  type VppInterfaceState,
  vppInterfaceStateKey,
} from "../../items/mod.ts";
import type { Descriptor, DescriptorContext, Item, Retrieved } from "../../reconciler/api.ts";
import { deleted, keysByIndex, NO_INTERFACE } from "./_api.ts";
import type { VppAccess } from "./vpp_access.ts";

/**
 * Admin state and MTU of containers' interfaces: interface.api. Apart from the interface itself, so
 * that they, addresses, neighbours and routes are asked for together once the interface is there.
 */
export function interfaceStateDescriptor(
  vpp: VppAccess,
): Descriptor<VppInterfaceState, undefined> {
  const apply = async (
    { value }: Item<VppInterfaceState>,
    context: DescriptorContext,
  ): Promise<undefined> => {
    const client = vpp.client();
    const { swIfIndex } = context.meta<VppInterfaceMeta>(value.interface);
    await Promise.all([
      client.request("sw_interface_set_mtu", { sw_if_index: swIfIndex, mtu: [value.mtu, 0, 0, 0] }),
      client.request("sw_interface_set_flags", {
        sw_if_index: swIfIndex,
        flags: IfStatusFlags.ADMIN_UP,
      }),
    ]);
    return undefined;
  };
  return {
    kind: "vpp-interface-state",
    after: ["vpp-interface", "vpp-loopback", "vpp-uplink"],
    create: apply,
    update: (_before, after, _meta, context) => apply(after, context),
    async delete({ value }, _meta, context): Promise<void> {
      const found = context.tryMeta<VppInterfaceMeta>(value.interface);
      if (found === undefined) return;
      const fields = { sw_if_index: found.swIfIndex, flags: 0 };
      await deleted(vpp.client().request("sw_interface_set_flags", fields), ...NO_INTERFACE);
    },
    async retrieve(_wanted, known): Promise<Retrieved<VppInterfaceState, undefined>[]> {
      const keys = keysByIndex(known);
      const all = await vpp.client().dump("sw_interface_dump");
      return all.flatMap(({ sw_if_index, flags, mtu }) => {
        const key = keys.get(sw_if_index);
        if (!isOurLink(key) || (flags & IfStatusFlags.ADMIN_UP) === 0) return [];
        return [{
          key: vppInterfaceStateKey(attachmentOfInterfaceKey(key)),
          value: { interface: key, mtu: mtu[0] ?? 0 },
          meta: undefined,
          requires: [key],
        }];
      });
    },
    equal: sameValue,
  };
}
