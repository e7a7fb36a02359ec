import {
  attachmentOfInterfaceKey,
  isPodInterface,
  sameValue,
  type VppInterfaceMeta,
  type VppUnnumbered,
  vppUnnumberedKey,
} from "../../items/mod.ts";
import type { Descriptor, Retrieved } from "../../reconciler/api.ts";
import { deleted, keysByIndex, NO_INTERFACE } from "./_api.ts";
import type { VppAccess } from "./vpp_access.ts";

/** Borrowed addresses: sw_interface_set_unnumbered of interface.api. */
export function unnumberedDescriptor(vpp: VppAccess): Descriptor<VppUnnumbered, undefined> {
  const change = (isAdd: boolean, lender: number, borrower: number): Promise<unknown> =>
    vpp.client().request("sw_interface_set_unnumbered", {
      sw_if_index: lender,
      unnumbered_sw_if_index: borrower,
      is_add: isAdd,
    });
  return {
    kind: "vpp-unnumbered",
    after: ["vpp-interface", "vpp-loopback"],
    async create({ value }, context): Promise<undefined> {
      const lender = context.meta<VppInterfaceMeta>(value.lender);
      const borrower = context.meta<VppInterfaceMeta>(value.interface);
      await change(true, lender.swIfIndex, borrower.swIfIndex);
      return undefined;
    },
    async delete({ value }, _meta, context): Promise<void> {
      const borrower = context.tryMeta<VppInterfaceMeta>(value.interface);
      if (borrower === undefined) return;
      // Giving up needs no lender, but the field must name an interface.
      const lender = context.tryMeta<VppInterfaceMeta>(value.lender) ?? borrower;
      await deleted(
        change(false, lender.swIfIndex, borrower.swIfIndex),
        "UNEXPECTED_INTF_STATE",
        ...NO_INTERFACE,
      );
    },
    async retrieve(_wanted, known): Promise<Retrieved<VppUnnumbered, undefined>[]> {
      const keys = keysByIndex(known);
      const all = await vpp.client().dump("ip_unnumbered_dump");
      return all.flatMap(({ sw_if_index, ip_sw_if_index }) => {
        const key = keys.get(sw_if_index);
        if (!isPodInterface(key)) return [];
        const lender = keys.get(ip_sw_if_index) ?? `interface ${ip_sw_if_index}`;
        return [{
          key: vppUnnumberedKey(attachmentOfInterfaceKey(key)),
          value: { interface: key, lender },
          meta: undefined,
          requires: [key],
        }];
      });
    },
    equal: sameValue,
  };
}
