import { AddressFamily, UrpfMode } from "@contiv/vppapi";
import {
  attachmentOfInterfaceKey,
  isPodInterface,
  sameValue,
  type VppInterfaceMeta,
  type VppSourceCheck,
  vppSourceCheckKey,
} from "../../items/mod.ts";
import type { Descriptor, Retrieved } from "../../reconciler/api.ts";
import { deleted, keysByIndex, NO_INTERFACE } from "./_api.ts";
import type { VppAccess } from "./vpp_access.ts";

const FAMILIES = [AddressFamily.IP4, AddressFamily.IP6] as const;

/** Strict reverse path checks of what comes in by containers' interfaces: urpf.api. */
export function sourceCheckDescriptor(vpp: VppAccess): Descriptor<VppSourceCheck, undefined> {
  const change = (mode: number, swIfIndex: number): Promise<unknown> =>
    Promise.all(FAMILIES.map((af) =>
      vpp.client().request("urpf_update_v2", {
        is_input: true,
        mode,
        af,
        sw_if_index: swIfIndex,
      })
    ));
  return {
    kind: "vpp-source-check",
    after: ["vpp-interface"],
    async create({ value }, context): Promise<undefined> {
      const { swIfIndex } = context.meta<VppInterfaceMeta>(value.interface);
      // VPP remembers the mode of a deleted interface for the next of its index, though not the
      // check itself: what it takes for no change would change nothing.
      await Promise.all([change(UrpfMode.OFF, swIfIndex), change(UrpfMode.STRICT, swIfIndex)]);
      return undefined;
    },
    async delete({ value }, _meta, context): Promise<void> {
      const found = context.tryMeta<VppInterfaceMeta>(value.interface);
      if (found === undefined) return;
      await deleted(change(UrpfMode.OFF, found.swIfIndex), ...NO_INTERFACE);
    },
    async retrieve(_wanted, known): Promise<Retrieved<VppSourceCheck, undefined>[]> {
      const keys = keysByIndex(known);
      const all = await vpp.client().dump("urpf_interface_dump");
      const checks = all.filter(({ is_input, mode }) => is_input && mode === UrpfMode.STRICT);
      return [...keys].flatMap(([swIfIndex, key]) => {
        const own = checks.filter((check) => check.sw_if_index === swIfIndex);
        if (!isPodInterface(key) || own.length < FAMILIES.length) return [];
        return [{
          key: vppSourceCheckKey(attachmentOfInterfaceKey(key)),
          value: { interface: key },
          meta: undefined,
          requires: [key],
        }];
      });
    },
    equal: sameValue,
  };
}
