import { IpAddress } from "@contiv/net";
import { CnatSnatPolicies, CnatSnatPolicyFlags, CnatSnatPolicyTable } from "@contiv/vppapi";
import { sameValue, SNAT_KEY, type VppInterfaceMeta, type VppSnat } from "../../items/mod.ts";
import type { Descriptor, DescriptorContext, Item, Retrieved } from "../../reconciler/api.ts";
import type { VppAccess } from "./vpp_access.ts";
import type { VppMemory } from "./vpp_memory.ts";

const NO_INDEX = 0xffffffff;
/** Without a client of cnat's own, which would keep the address from its owner (decision 16). */
const FLAGS = CnatSnatPolicyFlags.NO_CLIENT | CnatSnatPolicyFlags.USE_AS_DEFAULT;

/**
 * Source addresses, and then Kubernetes' policy, of cnat: cnat.api. In this order: the other one
 * ends VPP, as would their removal, which is left to VPP's end.
 */
export function snatDescriptor(vpp: VppAccess, memory: VppMemory): Descriptor<VppSnat, undefined> {
  const apply = async (
    { key, value: { ip4, ip6, keeper } }: Item<VppSnat>,
    context: DescriptorContext,
  ): Promise<undefined> => {
    const client = vpp.client();
    const { swIfIndex } = context.meta<VppInterfaceMeta>(keeper);
    memory.doubt(key);
    await client.request("cnat_set_snat_addresses_v2", {
      snat_ip4: ip4?.bytes ?? new Uint8Array(4),
      snat_ip6: ip6?.bytes ?? new Uint8Array(16),
      sw_if_index: NO_INDEX,
      flags: FLAGS,
    });
    await client.request("cnat_set_snat_policy", { policy: CnatSnatPolicies.K8S });
    // VPP 26.06 takes an empty first table for one that was never made, and when it makes it anew
    // forgets the excluded prefixes.
    await client.request("cnat_snat_policy_add_del_if", {
      sw_if_index: swIfIndex,
      is_add: 1,
      table: CnatSnatPolicyTable.INCLUDE_V4,
    });
    memory.set(key, `${swIfIndex} ${keeper}`);
    return undefined;
  };
  return {
    kind: "vpp-snat",
    create: apply,
    update: (_before, after, _meta, context) => apply(after, context),
    // No interface is in a table then, so that nothing is translated.
    delete: ({ key }): Promise<void> => Promise.resolve(memory.forget(key)),
    after: ["vpp-loopback"],
    async retrieve(_wanted, known): Promise<Retrieved<VppSnat, undefined>[]> {
      const made = new Map(memory.entries("vpp-snat")).get(SNAT_KEY);
      const [index, keeper = ""] = made?.split(" ") ?? [];
      const meta = known.get(keeper)?.meta as VppInterfaceMeta | undefined;
      if (made === undefined || meta?.swIfIndex !== Number(index)) return [];
      const { snat_ip4, snat_ip6 } = await vpp.client().request("cnat_get_snat_addresses");
      const value = { ip4: addressOf(snat_ip4), ip6: addressOf(snat_ip6), keeper };
      return [{ key: SNAT_KEY, value, meta: undefined, requires: [keeper] }];
    },
    equal: sameValue,
  };
}

function addressOf(bytes: Uint8Array): IpAddress | undefined {
  return bytes.every((octet) => octet === 0) ? undefined : IpAddress.from(bytes);
}
