import { IpPrefix, MacAddress } from "@contiv/net";
import { AclAction, type MacipAclRule, type Messages } from "@contiv/vppapi";
import {
  attachmentOfTag,
  sameValue,
  type VppSenderList,
  vppSenderListKey,
  type VppSenderListMeta,
} from "../../items/mod.ts";
import type { Descriptor, Retrieved } from "../../reconciler/api.ts";
import { deleted, fromPrefix, toPrefix } from "./_api.ts";
import type { VppAccess } from "./vpp_access.ts";

const WHOLE_MAC = new Uint8Array(6).fill(0xff);

/** Lists of the senders that containers may be, found by tag: MACIP lists of acl.api. */
export function senderListDescriptor(
  vpp: VppAccess,
): Descriptor<VppSenderList, VppSenderListMeta> {
  const remove = (aclIndex: number): Promise<void> =>
    deleted(vpp.client().request("macip_acl_del", { acl_index: aclIndex }), "NO_SUCH_ENTRY");
  return {
    kind: "vpp-sender-list",
    async create({ value }): Promise<VppSenderListMeta> {
      const fields = { tag: value.tag, r: rulesOf(value) };
      const { acl_index } = await vpp.client().request("macip_acl_add_replace", fields);
      return { aclIndex: acl_index };
    },
    /** In place: interfaces that it is applied to keep it. */
    async update(_before, { value }, meta): Promise<VppSenderListMeta> {
      await vpp.client().request("macip_acl_add_replace", {
        acl_index: meta.aclIndex,
        tag: value.tag,
        r: rulesOf(value),
      });
      return meta;
    },
    async delete({ value }, meta): Promise<void> {
      if (meta !== undefined) return await remove(meta.aclIndex);
      // Nobody knows whether it exists: the answer to a creation was lost.
      const id = attachmentOfTag(value.tag);
      if (id === undefined) return;
      const all = await vpp.client().dump("macip_acl_dump");
      const own = all.filter(({ tag }) => attachmentOfTag(tag) === id);
      await Promise.all(own.map(({ acl_index }) => remove(acl_index)));
    },
    async retrieve(): Promise<Retrieved<VppSenderList, VppSenderListMeta>[]> {
      const all = await vpp.client().dump("macip_acl_dump");
      const seen = new Set<string>();
      return all.flatMap((each) => {
        const id = attachmentOfTag(each.tag);
        if (id === undefined) return [];
        let key = vppSenderListKey(id);
        // A second one of the same attachment is not wanted, whatever it lets pass.
        if (seen.has(key)) key = `${key}-${each.acl_index}`;
        seen.add(key);
        return [{
          key,
          value: valueOf(each),
          meta: { aclIndex: each.acl_index },
          requires: [],
        }];
      });
    },
    equal: sameValue,
  };
}

function rulesOf({ mac, addresses }: VppSenderList): MacipAclRule[] {
  return addresses.map((address) => ({
    is_permit: AclAction.PERMIT,
    src_mac: mac.bytes,
    src_mac_mask: WHOLE_MAC,
    src_prefix: toPrefix(IpPrefix.host(address)),
  }));
}

/** What a list lets pass; one of other rules than ours has no addresses, which is wanted never. */
function valueOf({ tag, r }: Messages["macip_acl_details"]): VppSenderList {
  const mac = MacAddress.from(r[0]?.src_mac ?? new Uint8Array(6));
  const prefixes = r.map(({ src_prefix }) => fromPrefix(src_prefix));
  const ours =
    r.every(({ is_permit, src_mac, src_mac_mask }) =>
      is_permit === AclAction.PERMIT && mac.equals(MacAddress.from(src_mac)) &&
      sameValue(src_mac_mask, WHOLE_MAC)
    ) && prefixes.every((prefix) => sameValue(prefix, IpPrefix.host(prefix.address)));
  return { tag, mac, addresses: ours ? prefixes.map(({ address }) => address) : [] };
}
