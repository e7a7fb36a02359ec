/** That containers' senders are checked in VPP, whatever is found there. */
import { assert, assertEquals } from "@contiv/assert";
import { AclAction, VppClient } from "@contiv/vppapi";
import { toPrefix } from "../descriptors/vpp/_api.ts";
import { IpPrefix } from "@contiv/net";
import { FakeNode } from "./_fake_node.ts";

const ALL = 0xffffffff;

/** Does something in VPP by hand, and waits until the agent has set it right. */
async function heals(
  node: FakeNode,
  harm: (hand: VppClient, list: number, swIfIndex: number) => Promise<void>,
): Promise<void> {
  const before = node.model.contents;
  {
    await using hand = await VppClient.over(node.model.vpp.connect(), { name: "hand" });
    const dumped = await hand.dump("macip_acl_interface_list_dump", { sw_if_index: ALL });
    const [{ sw_if_index, acls: [list = ALL] }] = dumped as [(typeof dumped)[0]];
    await harm(hand, list, sw_if_index);
  }
  assert(JSON.stringify(node.model.contents) !== JSON.stringify(before), "no harm was done");
  node.agent.requestResync("test");
  await node.until(() => JSON.stringify(node.model.contents) === JSON.stringify(before));
}

Deno.test("a container may send from its MAC address with each of its addresses", async () => {
  await using node = await FakeNode.start();
  const { id, mac, addresses } = await node.add("a");
  const senders = node.model.senders.contents;
  assertEquals(senders.length, 2);
  const sender = `1 ${mac} mask ff:ff:ff:ff:ff:ff`;
  const pairs = `${sender} ${addresses[0]}/32, ${sender} ${addresses[1]}/128`;
  assert(senders[0]?.startsWith(`senders of contiv:${id} `), senders[0]);
  assert(senders[0]?.endsWith(`: ${pairs}`), senders[0]);
  assert(senders[1]?.startsWith(`tap takes senders of contiv:${id} `), senders[1]);
});

Deno.test("what another hand did to the lists of senders is set right", async (t) => {
  await using node = await FakeNode.start();
  await node.add("a");
  await t.step("a list that was deleted", () =>
    heals(node, async (hand, acl_index) => {
      await hand.request("macip_acl_del", { acl_index });
    }));
  await t.step("a check that was ended", () =>
    heals(node, async (hand, _list, sw_if_index) => {
      await hand.request("macip_acl_interface_add_del", { is_add: false, sw_if_index });
    }));
  await t.step("another list in its place", () =>
    heals(node, async (hand, _list, sw_if_index) => {
      const { acl_index } = await hand.request("macip_acl_add_replace", {
        tag: "contiv:0123456789abcdef0123 gone",
        r: [],
      });
      await hand.request("macip_acl_interface_add_del", { sw_if_index, acl_index });
    }));
  for (
    const [what, change] of [
      ["a rule that lets more pass", { src_mac_mask: new Uint8Array(6) }],
      ["a rule for a whole prefix", { src_prefix: toPrefix(IpPrefix.parse("10.0.0.0/8")) }],
      ["a rule that denies", { is_permit: AclAction.DENY }],
    ] as const
  ) {
    await t.step(what, () =>
      heals(node, async (hand, acl_index) => {
        const [list] = await hand.dump("macip_acl_dump", { acl_index });
        const [rule] = list?.r ?? [];
        assert(list !== undefined && rule !== undefined);
        const r = [{ ...rule, ...change }, ...list.r.slice(1)];
        await hand.request("macip_acl_add_replace", { acl_index, tag: list.tag, r });
      }));
  }
  await t.step(
    "a second list of the same container, applied",
    () =>
      heals(node, async (hand, acl_index, sw_if_index) => {
        const [list] = await hand.dump("macip_acl_dump", { acl_index });
        assert(list !== undefined);
        const second = await hand.request("macip_acl_add_replace", { tag: list.tag, r: list.r });
        await hand.request("macip_acl_interface_add_del", {
          sw_if_index,
          acl_index: second.acl_index,
        });
      }),
  );
});

Deno.test("the containers of an agent that checked no senders are checked after the upgrade", async () => {
  await using node = await FakeNode.start();
  for (const id of ["a", "b"]) await node.add(id);
  const [before, changes] = [node.model.contents, node.model.changes];
  await node.stopAgent();
  node.model.senders.clear();
  node.startAgent();
  await node.settled();
  assertEquals(node.model.contents, before);
  assertEquals(node.model.changes - changes, 4, "it touches nothing else");
});
