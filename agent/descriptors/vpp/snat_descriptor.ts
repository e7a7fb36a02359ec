import { IpAddress } from "@contiv/net";
import { CnatSnatPolicies, CnatSnatPolicyFlags } from "@contiv/vppapi";
import { sameValue, SNAT_KEY, type VppSnat } from "../../items/mod.ts";
import type { Descriptor, Item, Retrieved } from "../../reconciler/api.ts";
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
  const apply = async ({ key, value: { ip4, ip6 } }: Item<VppSnat>): Promise<undefined> => {
    const client = vpp.client();
    memory.doubt(key);
    await client.request("cnat_set_snat_addresses_v2", {
      snat_ip4: ip4?.bytes ?? new Uint8Array(4),
      snat_ip6: ip6?.bytes ?? new Uint8Array(16),
      sw_if_index: NO_INDEX,
      flags: FLAGS,
    });
    await client.request("cnat_set_snat_policy", { policy: CnatSnatPolicies.K8S });
    memory.set(key, "K8S");
    return undefined;
  };
  return {
    kind: "vpp-snat",
    create: apply,
    update: (_before, after) => apply(after),
    // No interface is in a table then, so that nothing is translated.
    delete: ({ key }): Promise<void> => Promise.resolve(memory.forget(key)),
    async retrieve(): Promise<Retrieved<VppSnat, undefined>[]> {
      const known = new Map(memory.entries("vpp-snat"));
      if (known.get(SNAT_KEY) === undefined) return [];
      const { snat_ip4, snat_ip6 } = await vpp.client().request("cnat_get_snat_addresses");
      const value = { ip4: addressOf(snat_ip4), ip6: addressOf(snat_ip6) };
      return [{ key: SNAT_KEY, value, meta: undefined }];
    },
    equal: sameValue,
  };
}

function addressOf(bytes: Uint8Array): IpAddress | undefined {
  return bytes.every((octet) => octet === 0) ? undefined : IpAddress.from(bytes);
}
