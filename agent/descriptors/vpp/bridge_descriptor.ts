import { BRIDGE_KEY, sameValue, type VppBridge, type VppBridgeMeta } from "../../items/mod.ts";
import type { Descriptor, Retrieved } from "../../reconciler/api.ts";
import { deleted } from "./_api.ts";
import type { VppAccess } from "./vpp_access.ts";

const NO_INDEX = 0xffffffff;
const TAG_PREFIX = "contiv:";

/** Bridge domains without learning and flooding, ours by tag: l2.api. */
export function bridgeDescriptor(vpp: VppAccess): Descriptor<VppBridge, VppBridgeMeta> {
  return {
    kind: "vpp-bridge",
    async create({ value: { bdId, tag } }): Promise<VppBridgeMeta> {
      const fields = { is_add: true, bd_id: bdId, bd_tag: tag, forward: true };
      // One that is there from a creation whose answer was lost is as good.
      await deleted(
        vpp.client().request("bridge_domain_add_del_v2", fields),
        "BD_ALREADY_EXISTS",
      );
      return { bdId };
    },
    needsRecreate: () => true,
    async delete({ value: { bdId } }): Promise<void> {
      const request = vpp.client().request("bridge_domain_add_del_v2", {
        is_add: false,
        bd_id: bdId,
      });
      await deleted(request, "NO_SUCH_ENTRY");
    },
    async retrieve(): Promise<Retrieved<VppBridge, VppBridgeMeta>[]> {
      const all = await vpp.client().dump("bridge_domain_dump", {
        bd_id: NO_INDEX,
        sw_if_index: NO_INDEX,
      });
      return all.filter((each) => each.bd_tag.startsWith(TAG_PREFIX)).map((each, i) => ({
        key: i === 0 ? BRIDGE_KEY : `${BRIDGE_KEY}-${each.bd_id}`,
        value: { bdId: each.bd_id, tag: each.forward ? each.bd_tag : "" },
        meta: { bdId: each.bd_id },
      }));
    },
    equal: sameValue,
  };
}
