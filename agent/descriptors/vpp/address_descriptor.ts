import {
  GATEWAY_LOOPBACK_KEY,
  HOST_LINK,
  isOurLink,
  isPodInterface,
  sameValue,
  type VppAddress,
  vppAddressKey,
  vppInterfaceKey,
  type VppInterfaceMeta,
} from "../../items/mod.ts";
import type { Descriptor, Retrieved } from "../../reconciler/api.ts";
import { deleted, fromPrefix, keysByIndex, NO_INTERFACE, toPrefix } from "./_api.ts";
import type { VppAccess } from "./vpp_access.ts";

/** Addresses on our loopbacks and links: sw_interface_add_del_address of interface.api. */
export function addressDescriptor(vpp: VppAccess): Descriptor<VppAddress, undefined> {
  const change = (isAdd: boolean, swIfIndex: number, value: VppAddress): Promise<unknown> =>
    vpp.client().request("sw_interface_add_del_address", {
      sw_if_index: swIfIndex,
      is_add: isAdd,
      prefix: toPrefix(value.prefix),
    });
  return {
    kind: "vpp-address",
    after: ["vpp-loopback", "vpp-interface", "vpp-uplink"],
    async create({ value }, context): Promise<undefined> {
      const { swIfIndex } = context.meta<VppInterfaceMeta>(value.interface);
      await change(true, swIfIndex, value);
      return undefined;
    },
    async delete({ value }, _meta, context): Promise<void> {
      const loopback = context.tryMeta<VppInterfaceMeta>(value.interface);
      // An interface takes its addresses with it.
      if (loopback === undefined) return;
      await deleted(
        change(false, loopback.swIfIndex, value),
        "ADDRESS_NOT_FOUND_FOR_INTERFACE",
        "ADDRESS_NOT_DELETABLE",
        ...NO_INTERFACE,
      );
    },
    async retrieve(_wanted, known): Promise<Retrieved<VppAddress, undefined>[]> {
      const client = vpp.client();
      const dumps = [...keysByIndex(known)]
        .filter(([, key]) => hasOwnAddresses(key))
        .flatMap(([swIfIndex, key]) =>
          [false, true].map(async (isIp6) => {
            const fields = { sw_if_index: swIfIndex, is_ipv6: isIp6 };
            const details = await client.dump("ip_address_dump", fields);
            return details.map((each) => fromPrefix(each.prefix)).map((prefix) => ({
              key: vppAddressKey(prefix),
              value: { interface: key, prefix },
              meta: undefined,
              requires: [key],
            }));
          })
        );
      return (await Promise.all(dumps)).flat()
        .filter(({ value }) => !isLinkLocal(value.prefix.address.bytes));
    },
    equal: sameValue,
  };
}

/** Containers' interfaces borrow theirs. */
function hasOwnAddresses(key: string): boolean {
  return key === GATEWAY_LOOPBACK_KEY || key === vppInterfaceKey(HOST_LINK) ||
    (isOurLink(key) && !isPodInterface(key));
}

/** fe80::/10, which VPP gives to interfaces by itself. */
function isLinkLocal(bytes: Uint8Array): boolean {
  return bytes.length === 16 && bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80;
}
