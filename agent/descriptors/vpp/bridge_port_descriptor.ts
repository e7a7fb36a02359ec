import {
  attachmentOfInterfaceKey,
  sameValue,
  type VppBridge,
  type VppBridgeMeta,
  type VppBridgePort,
  vppBridgePortKey,
  type VppInterfaceMeta,
} from "../../items/mod.ts";
import type { Descriptor, DescriptorContext, Retrieved } from "../../reconciler/api.ts";
import { deleted, keysByIndex, NO_INTERFACE } from "./_api.ts";
import type { VppAccess } from "./vpp_access.ts";

const NO_INDEX = 0xffffffff;
/** `l2_port_type` (vnet/l2/l2.api). */
const PORT_TYPE = { normal: 0, bvi: 1 } as const;

/** Members of bridge domains: sw_interface_set_l2_bridge of l2.api. */
export function bridgePortDescriptor(vpp: VppAccess): Descriptor<VppBridgePort, undefined> {
  const join = async (
    { value }: { value: VppBridgePort },
    context: DescriptorContext,
  ): Promise<undefined> => {
    await vpp.client().request("sw_interface_set_l2_bridge", {
      rx_sw_if_index: context.meta<VppInterfaceMeta>(value.interface).swIfIndex,
      bd_id: context.meta<VppBridgeMeta>(value.bridge).bdId,
      port_type: value.isBvi ? PORT_TYPE.bvi : PORT_TYPE.normal,
      shg: value.group,
      enable: true,
    });
    return undefined;
  };
  return {
    kind: "vpp-bridge-port",
    after: ["vpp-bridge", "vpp-vxlan", "vpp-loopback"],
    create: join,
    // VPP takes a member out before it lets it in again.
    update: (_before, after, _meta, context) => join(after, context),
    async delete({ value }, _meta, context): Promise<void> {
      const found = context.tryMeta<VppInterfaceMeta>(value.interface);
      if (found === undefined) return;
      const fields = { rx_sw_if_index: found.swIfIndex, enable: false };
      await deleted(vpp.client().request("sw_interface_set_l2_bridge", fields), ...NO_INTERFACE);
    },
    async retrieve(_wanted, known): Promise<Retrieved<VppBridgePort, undefined>[]> {
      const keys = keysByIndex(known);
      const bridges = new Map(
        [...known].filter(([key]) => key.startsWith("vpp-bridge/")).map(([key, { value }]) =>
          [(value as VppBridge).bdId, key] as const
        ),
      );
      const all = await vpp.client().dump("bridge_domain_dump", {
        bd_id: NO_INDEX,
        sw_if_index: NO_INDEX,
      });
      return all.flatMap(({ bd_id, bvi_sw_if_index, sw_if_details }) => {
        const bridge = bridges.get(bd_id);
        if (bridge === undefined) return [];
        return sw_if_details.flatMap(({ sw_if_index, shg }) => {
          const key = keys.get(sw_if_index);
          if (key === undefined) return [];
          return [{
            key: vppBridgePortKey(attachmentOfInterfaceKey(key)),
            value: { interface: key, bridge, isBvi: sw_if_index === bvi_sw_if_index, group: shg },
            meta: undefined,
            requires: [key, bridge],
          }];
        });
      });
    },
    equal: sameValue,
  };
}
