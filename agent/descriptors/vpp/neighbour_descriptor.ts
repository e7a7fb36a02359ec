import { MacAddress } from "@contiv/net";
import { AddressFamily, IpNeighborFlags } from "@contiv/vppapi";
import {
  attachmentOfInterfaceKey,
  isOurLink,
  sameValue,
  type VppInterfaceMeta,
  type VppNeighbour,
  vppNeighbourKey,
} from "../../items/mod.ts";
import type { Descriptor, Retrieved } from "../../reconciler/api.ts";
import { deleted, fromAddress, keysByIndex, NO_INTERFACE, toAddress } from "./_api.ts";
import type { VppAccess } from "./vpp_access.ts";

/** Static neighbours on containers' interfaces: ip_neighbor.api. */
export function neighbourDescriptor(vpp: VppAccess): Descriptor<VppNeighbour, undefined> {
  const change = (isAdd: boolean, swIfIndex: number, value: VppNeighbour): Promise<unknown> =>
    vpp.client().request("ip_neighbor_add_del", {
      is_add: isAdd,
      neighbor: {
        sw_if_index: swIfIndex,
        flags: IpNeighborFlags.STATIC,
        mac_address: value.mac.bytes,
        ip_address: toAddress(value.address),
      },
    });
  return {
    kind: "vpp-neighbour",
    after: ["vpp-interface", "vpp-loopback", "vpp-uplink"],
    async create({ value }, context): Promise<undefined> {
      const { swIfIndex } = context.meta<VppInterfaceMeta>(value.interface);
      await change(true, swIfIndex, value);
      return undefined;
    },
    async delete({ value }, _meta, context): Promise<void> {
      const found = context.tryMeta<VppInterfaceMeta>(value.interface);
      if (found === undefined) return;
      await deleted(change(false, found.swIfIndex, value), "NO_SUCH_ENTRY", ...NO_INTERFACE);
    },
    async retrieve(_wanted, known): Promise<Retrieved<VppNeighbour, undefined>[]> {
      const keys = keysByIndex(known);
      const client = vpp.client();
      const dumps = await Promise.all(
        [AddressFamily.IP4, AddressFamily.IP6].map((af) => client.dump("ip_neighbor_dump", { af })),
      );
      return dumps.flat().flatMap(({ neighbor }) => {
        const key = keys.get(neighbor.sw_if_index);
        const isStatic = (neighbor.flags & IpNeighborFlags.STATIC) !== 0;
        if (!isOurLink(key) || !isStatic) return [];
        const address = fromAddress(neighbor.ip_address);
        return [{
          key: vppNeighbourKey(attachmentOfInterfaceKey(key), address),
          value: { interface: key, address, mac: MacAddress.from(neighbor.mac_address) },
          meta: undefined,
          requires: [key],
        }];
      });
    },
    equal: sameValue,
  };
}
