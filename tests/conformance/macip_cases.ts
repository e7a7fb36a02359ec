/** Lists of senders: MACIP of VPP's acl plugin. */
import { assert, assertEquals } from "@contiv/assert";
import { MacAddress } from "@contiv/net";
import { AclAction, type MacipAclRule, Retval, type VppClient } from "@contiv/vppapi";
import type { ApiCase } from "./api_cases.ts";
import {
  arpRequest,
  ethernet,
  EtherType,
  icmp6,
  ip4,
  ip6,
  Protocol,
  type Seen,
  udp,
} from "./frames.ts";
import { LEFT, type PacketCase, RIGHT, type Scene } from "./packet_cases.ts";
import { loopback, mac, NONE, prefix, prefixText } from "./values.ts";

const WHOLE = "ff:ff:ff:ff:ff:ff";
const FOREIGN = "02:66:66:66:66:66";

interface RuleText {
  readonly mac: string;
  /** @default all bits */
  readonly mask?: string;
  readonly prefix: string;
  /** @default permit */
  readonly action?: number;
}

function rule(text: RuleText): MacipAclRule {
  return {
    is_permit: text.action ?? AclAction.PERMIT,
    src_mac: mac(text.mac),
    src_mac_mask: mac(text.mask ?? WHOLE),
    src_prefix: prefix(text.prefix),
  };
}

async function addList(vpp: VppClient, rules: readonly RuleText[], index = NONE): Promise<number> {
  const r = rules.map(rule);
  const { acl_index } = await vpp.request("macip_acl_add_replace", {
    acl_index: index,
    tag: "x",
    r,
  });
  return acl_index;
}

/** Has a list hold for an interface; it goes with the scope. */
async function check(
  vpp: VppClient,
  swIfIndex: number,
  rules: readonly RuleText[],
): Promise<AsyncDisposable & { readonly index: number }> {
  const index = await addList(vpp, rules);
  await vpp.request("macip_acl_interface_add_del", { sw_if_index: swIfIndex, acl_index: index });
  return {
    index,
    async [Symbol.asyncDispose](): Promise<void> {
      await vpp.requestRaw("macip_acl_del", { acl_index: index });
    },
  };
}

async function applied(vpp: VppClient, swIfIndex = NONE): Promise<number[][]> {
  const all = await vpp.dump("macip_acl_interface_list_dump", { sw_if_index: swIfIndex });
  return all.map(({ sw_if_index, acls }) => [sw_if_index, ...acls]);
}

export const MACIP_API_CASES: readonly ApiCase[] = [
  {
    name: "a list is dumped as it was given, replaced in its place, and deleted once",
    async run(vpp): Promise<void> {
      const rules = [
        { mac: "02:00:00:00:00:01", prefix: "10.0.0.1/32" },
        { mac: "02:00:00:00:00:02", mask: "ff:ff:00:00:00:00", prefix: "10.1.2.3/16", action: 0 },
        { mac: "02:00:00:00:00:03", prefix: "fd00::3/64" },
      ];
      const dump = async (acl_index: number): Promise<unknown> =>
        (await vpp.dump("macip_acl_dump", { acl_index })).map(({ tag, acl_index, r }) => [
          acl_index,
          tag,
          ...r.map(({ is_permit, src_mac, src_mac_mask, src_prefix }) =>
            [is_permit, MacAddress.from(src_mac), MacAddress.from(src_mac_mask)].join(" ") +
            ` ${prefixText(src_prefix)}`
          ),
        ]);
      const texts = [
        `1 02:00:00:00:00:01 ${WHOLE} 10.0.0.1/32`,
        "0 02:00:00:00:00:02 ff:ff:00:00:00:00 10.1.2.3/16",
        `1 02:00:00:00:00:03 ${WHOLE} fd00::3/64`,
      ];
      const first = await addList(vpp, rules);
      const second = await addList(vpp, rules.slice(0, 1));
      assertEquals(await dump(first), [[first, "x", ...texts]]);
      assertEquals(await dump(NONE), [[first, "x", ...texts], [second, "x", texts[0]]]);
      assertEquals(await addList(vpp, rules.slice(2), first), first);
      assertEquals(await dump(first), [[first, "x", texts[2]]]);
      for (const acl_index of [first, second]) await vpp.request("macip_acl_del", { acl_index });
      assertEquals(await dump(NONE), []);
      const again = await vpp.requestRaw("macip_acl_del", { acl_index: first });
      assertEquals(again.retval, Retval.NO_SUCH_ENTRY);
      const gone = await vpp.requestRaw("macip_acl_add_replace", { acl_index: first, tag: "x" });
      assertEquals([gone.retval, gone.acl_index], [Retval.NO_SUCH_ENTRY, first]);
    },
  },
  {
    name: "one list holds for an interface: another takes its place, and it goes with either",
    async run(vpp): Promise<void> {
      const rules = [{ mac: "02:00:00:00:00:01", prefix: "10.0.0.1/32" }];
      const [one, two] = [await addList(vpp, rules), await addList(vpp, rules)];
      const set = async (is_add: boolean, sw_if_index: number, acl_index = 0): Promise<number> => {
        const fields = { is_add, sw_if_index, acl_index };
        return (await vpp.requestRaw("macip_acl_interface_add_del", fields)).retval;
      };
      {
        await using below = await loopback(vpp);
        await using loop = await loopback(vpp);
        const { index } = loop;
        assertEquals(await set(true, 9_999, one), Retval.INVALID_SW_IF_INDEX);
        assertEquals(await set(true, index, 9_999), Retval.NO_SUCH_ENTRY);
        assertEquals(await set(false, index), Retval.NO_SUCH_ENTRY);
        assertEquals(await applied(vpp), []);
        assertEquals([await set(true, index, one), await set(true, index, one)], [0, 0]);
        assertEquals(await applied(vpp), [[index, one]]);
        assertEquals(await set(true, index, two), 0);
        assertEquals(await applied(vpp), [[index, two]]);
        assertEquals(await applied(vpp, index), [[index, two]]);
        assertEquals(await applied(vpp, below.index), [[below.index, NONE]]);
        assertEquals(await applied(vpp, 9_999), []);
        // Which of the two is named does not matter.
        assertEquals(await set(false, index, one), 0);
        assertEquals(await set(false, index, two), Retval.NO_SUCH_ENTRY);
        assertEquals(await set(true, index, two), 0);
      }
      assertEquals(await applied(vpp), [], "it went with its interface");
      await using next = await loopback(vpp);
      assertEquals(await applied(vpp), []);
      assertEquals(await set(true, next.index, one), 0);
      for (const acl_index of [one, two]) await vpp.request("macip_acl_del", { acl_index });
      assertEquals(await applied(vpp), [], "it went with its list");
    },
  },
];

const isUdp = (frame: Seen): boolean => frame.protocol === Protocol.UDP;

/** Sends a datagram from the left to the right, its source as it is told. */
function send({ left }: Scene, source: string, from = left.mac): void {
  const is6 = source.includes(":");
  const packet = is6
    ? ip6(source, RIGHT.ip6, Protocol.UDP, udp(1, 2))
    : ip4(source, RIGHT.ip4, Protocol.UDP, udp(1, 2));
  left.send(ethernet(left.switchMac, from, is6 ? EtherType.IP6 : EtherType.IP4, packet));
}

async function passes(scene: Scene, source: string, from?: string): Promise<boolean> {
  send(scene, source, from);
  return !(await scene.right.quiet(isUdp));
}

/** How often a node counted a reason. */
async function count(vpp: VppClient, node: string, reason: string): Promise<number> {
  const { reply } = await vpp.request("cli_inband", { cmd: "show errors" });
  const lines = reply.split("\n").filter((line) => line.includes(node) && line.includes(reason));
  return lines.reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[0]), 0);
}

export const MACIP_PACKET_CASES: readonly PacketCase[] = [
  {
    name: "only listed senders pass: the MAC address and the address together",
    async run(scene): Promise<void> {
      const { vpp, left } = scene;
      const own = [`${LEFT.ip4}/32`, `${LEFT.ip6}/128`].map((prefix) => ({
        mac: left.mac,
        prefix,
      }));
      const misses = (family: number): Promise<number> =>
        count(vpp, `ip${family}-inacl`, "input ACL misses");
      const before = [await misses(4), await misses(6)];
      {
        await using _check = await check(vpp, left.swIfIndex, own);
        for (const address of [LEFT.ip4, LEFT.ip6]) {
          assert(await passes(scene, address), address);
          assert(!await passes(scene, address, FOREIGN), `${address} of ${FOREIGN}`);
          assert(!await passes(scene, address, left.switchMac), "of the switch itself");
        }
        for (const address of ["10.1.1.3", "fd00:1::3"]) {
          assert(!await passes(scene, address), address);
        }
        const after = [await misses(4), await misses(6)];
        assertEquals(after.map((each, i) => each - (before[i] ?? 0)), [3, 3]);
      }
      for (const address of [LEFT.ip4, LEFT.ip6]) assert(await passes(scene, address, FOREIGN));
    },
  },
  {
    name: "ARP and what goes to groups is not looked at",
    async run(scene): Promise<void> {
      const { vpp, left } = scene;
      const own = [{ mac: left.mac, prefix: `${LEFT.ip4}/32` }];
      await using _check = await check(vpp, left.swIfIndex, own);
      const ask = arpRequest(FOREIGN, "10.1.1.66", LEFT.gateway4);
      left.send(ethernet(WHOLE, FOREIGN, EtherType.ARP, ask));
      const isReply = ({ type, body, to }: Seen): boolean =>
        type === EtherType.ARP && body[7] === 2 && to === FOREIGN;
      await left.expect("an ARP reply", isReply);
      const source = "fd00:1::66";
      const group = "ff02::1:ff00:1";
      const target = [...prefix(`${LEFT.gateway6}/128`).address.un];
      const message = [135, 0, 0, 0, 0, 0, 0, 0, ...target, 1, 1, ...mac(FOREIGN)];
      const packet = ip6(source, group, Protocol.ICMP6, icmp6(source, group, message), 255);
      left.send(ethernet("33:33:ff:00:00:01", FOREIGN, EtherType.IP6, packet));
      await left.expect(
        "an advertisement",
        ({ body, protocol, to }) =>
          protocol === Protocol.ICMP6 && body[0] === 136 && to === FOREIGN,
      );
      // What was learned of them goes again.
      for (const af of [0, 1]) {
        const all = await vpp.dump("ip_neighbor_dump", { sw_if_index: left.swIfIndex, af });
        for (const { neighbor } of all.filter(({ neighbor }) => (neighbor.flags & 1) === 0)) {
          await vpp.request("ip_neighbor_add_del", { is_add: false, neighbor });
        }
      }
    },
  },
  {
    name: "more bits come first, then the last of equal rules; a family without a rule is shut",
    async run(scene): Promise<void> {
      const { vpp, left } = scene;
      const any = { mac: "00:00:00:00:00:00", mask: "00:00:00:00:00:00" };
      await using list = await check(vpp, left.swIfIndex, [
        { ...any, prefix: "10.1.1.0/24" },
        { mac: left.mac, prefix: `${LEFT.ip4}/32`, action: AclAction.DENY },
        { mac: "02:66:00:00:00:00", mask: "ff:ff:00:00:00:00", prefix: "0.0.0.0/0" },
      ]);
      assert(!await passes(scene, LEFT.ip4), "the more precise rule denies");
      assert(await passes(scene, LEFT.ip4, "02:77:00:00:00:00"), "any MAC address in the subnet");
      assert(await passes(scene, "203.0.113.9", FOREIGN), "any address of these MAC addresses");
      assert(!await passes(scene, "203.0.113.9", "02:67:00:00:00:00"));
      assert(!await passes(scene, LEFT.ip6), "IPv6 has no rule");
      const twice = [0, 1].map((action) => ({ mac: left.mac, prefix: `${LEFT.ip4}/32`, action }));
      await addList(vpp, twice, list.index);
      assert(await passes(scene, LEFT.ip4), "the last one permits, at once");
      await addList(vpp, twice.toReversed(), list.index);
      assert(!await passes(scene, LEFT.ip4), "the last one denies");
      await addList(vpp, [{ mac: left.mac, prefix: "fd00:1::/64" }], list.index);
      assertEquals([await passes(scene, LEFT.ip6), await passes(scene, LEFT.ip4)], [true, false]);
    },
  },
  {
    name: "a list without rules lets everything pass",
    async run(scene): Promise<void> {
      await using _check = await check(scene.vpp, scene.left.swIfIndex, []);
      assertEquals(await applied(scene.vpp, scene.left.swIfIndex).then((all) => all.length), 1);
      assert(await passes(scene, LEFT.ip4, FOREIGN));
    },
  },
  {
    name: "the trace shows the check behind the source check and before routing",
    async run(scene): Promise<void> {
      const { vpp, left, right } = scene;
      const [link] = await vpp.dump("sw_interface_dump", { sw_if_index: left.swIfIndex });
      const kind = link?.interface_dev_type === "tap" ? "virtio-input" : "af-packet-input";
      const set = (mode: number): Promise<unknown> =>
        vpp.request("urpf_update_v2", { mode, af: 0, sw_if_index: left.swIfIndex });
      await using _check = await check(vpp, left.swIfIndex, [
        { mac: left.mac, prefix: `${LEFT.ip4}/32` },
      ]);
      await set(2);
      await vpp.request("cli_inband", { cmd: "clear trace" });
      await vpp.request("cli_inband", { cmd: `trace add ${kind} 10` });
      send(scene, LEFT.ip4);
      await right.expect("the packet", isUdp);
      const { reply } = await vpp.request("cli_inband", { cmd: "show trace" });
      await vpp.request("cli_inband", { cmd: "clear trace" });
      await set(0);
      const nodes = Array.from(reply.matchAll(/^\d\d:\d\d:\d\d:\d+: (\S+)$/gm), ([, node]) => node);
      const at = nodes.indexOf("ip4-inacl");
      assert(at > 0, nodes.join(" "));
      assertEquals(nodes[at + 1], "ip4-lookup");
      assert(/INACL: sw_if_index \d+, next_index 1/.test(reply), reply);
    },
  },
];
