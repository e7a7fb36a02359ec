import { CnatSnatPolicyTable } from "@contiv/vppapi";
import { type CnatRole, sameValue, type VppCnat, type VppInterfaceMeta } from "../../items/mod.ts";
import type { Descriptor, DescriptorContext, Item, Retrieved } from "../../reconciler/api.ts";
import { deleted, NO_INTERFACE } from "./_api.ts";
import type { VppAccess } from "./vpp_access.ts";
import type { VppMemory } from "./vpp_memory.ts";

const { INCLUDE_V4, INCLUDE_V6, POD, HOST } = CnatSnatPolicyTable;
/** The tables of the SNAT policy that an interface is in (decision 16). */
const TABLES: Readonly<Record<CnatRole, readonly number[]>> = {
  pod: [INCLUDE_V4, INCLUDE_V6, POD],
  overlay: [POD],
  host: [POD, HOST],
  uplink: [],
};
const ROLES = Object.keys(TABLES) as CnatRole[];

/**
 * On which interfaces cnat works, and as what: cnat.api. VPP tells neither. It keeps an interface
 * in its tables when the interface is deleted, for the next of its index, so that it is taken out
 * before.
 */
export function cnatDescriptor(vpp: VppAccess, memory: VppMemory): Descriptor<VppCnat, undefined> {
  /** Undoes first: a feature that is enabled twice works twice, and tables may be left over. */
  const change = (swIfIndex: number, role: CnatRole | undefined): Promise<unknown> => {
    const client = vpp.client();
    const wanted: readonly number[] = role === undefined ? [] : TABLES[role];
    const feature = (enable: boolean): Promise<unknown> =>
      client.request("feature_cnat_enable_disable", {
        sw_if_index: swIfIndex,
        enable_disable: enable,
      });
    return Promise.all([
      feature(false),
      ...[INCLUDE_V4, INCLUDE_V6, POD, HOST].map((table) =>
        client.request("cnat_snat_policy_add_del_if", {
          sw_if_index: swIfIndex,
          is_add: wanted.includes(table) ? 1 : 0,
          table,
        })
      ),
      ...role === undefined ? [] : [feature(true)],
    ]);
  };
  const apply = async (
    { key, value }: Item<VppCnat>,
    context: DescriptorContext,
  ): Promise<undefined> => {
    const { swIfIndex } = context.meta<VppInterfaceMeta>(value.interface);
    memory.doubt(key);
    await change(swIfIndex, value.role);
    memory.set(key, `${swIfIndex} ${value.role} ${value.interface}`);
    return undefined;
  };
  return {
    kind: "vpp-cnat",
    after: ["vpp-interface", "vpp-loopback", "vpp-uplink"],
    create: apply,
    update: (_before, after, _meta, context) => apply(after, context),
    async delete({ key, value }, _meta, context): Promise<void> {
      const found = context.tryMeta<VppInterfaceMeta>(value.interface);
      if (found !== undefined) {
        memory.doubt(key);
        await deleted(change(found.swIfIndex, undefined), "FEATURE_DISABLED", ...NO_INTERFACE);
      }
      memory.forget(key);
    },
    retrieve: (_wanted, known): Promise<Retrieved<VppCnat, undefined>[]> =>
      Promise.resolve(
        [...memory.entries("vpp-cnat")].flatMap(([key, text]) => {
          const [index = "", roleText = "", link = ""] = text?.split(" ") ?? [];
          const role = ROLES.find((each) => each === roleText);
          const meta = known.get(link)?.meta as VppInterfaceMeta | undefined;
          // Of an interface that was made anew since, nothing is left.
          if (role === undefined || meta?.swIfIndex !== Number(index)) return [];
          const value = { interface: link, role };
          return [{ key, value, meta: undefined, requires: [link] }];
        }),
      ),
    equal: sameValue,
  };
}
