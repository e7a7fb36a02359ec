import { IpPrefix } from "@contiv/net";
import { sameValue, type VppSnatExclusion } from "../../items/mod.ts";
import type { Descriptor, Item, Retrieved } from "../../reconciler/api.ts";
import { toPrefix } from "./_api.ts";
import type { VppAccess } from "./vpp_access.ts";
import type { VppMemory } from "./vpp_memory.ts";

/** Destinations of the cluster, to which no source is translated: cnat.api. VPP does not tell them. */
export function snatExclusionDescriptor(
  vpp: VppAccess,
  memory: VppMemory,
): Descriptor<VppSnatExclusion, undefined> {
  const change = (isAdd: boolean, { prefix }: VppSnatExclusion): Promise<unknown> =>
    vpp.client().request("cnat_snat_policy_add_del_exclude_pfx", {
      is_add: isAdd ? 1 : 0,
      prefix: toPrefix(prefix),
    });
  return {
    kind: "vpp-snat-exclusion",
    async create({ key, value }: Item<VppSnatExclusion>): Promise<undefined> {
      memory.doubt(key);
      // VPP counts them by length: one that is there already would be counted twice.
      await Promise.all([change(false, value), change(true, value)]);
      memory.set(key, String(value.prefix));
      return undefined;
    },
    async delete({ key, value }): Promise<void> {
      memory.doubt(key);
      await change(false, value);
      memory.forget(key);
    },
    retrieve: (): Promise<Retrieved<VppSnatExclusion, undefined>[]> =>
      Promise.resolve(
        [...memory.entries("vpp-snat-exclusion")].flatMap(([key, text]) =>
          text === undefined
            ? []
            : [{ key, value: { prefix: IpPrefix.parse(text) }, meta: undefined }]
        ),
      ),
    equal: sameValue,
  };
}
