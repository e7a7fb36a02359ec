import { assertEquals } from "@contiv/assert";
import { type Input, type Messages, Retval, type VppClient } from "@contiv/vppapi";
import type { ApiCase } from "./api_cases.ts";
import { address, addressText, loopback, mac, NONE, prefix } from "./values.ts";

const BD = 77;

/** A tunnel between two addresses, with what is not said as VPP defaults it. */
function tunnel(
  source: string,
  destination: string,
  more: Partial<Input<"vxlan_add_del_tunnel_v3">> = {},
): Input<"vxlan_add_del_tunnel_v3"> {
  return {
    is_add: true,
    instance: NONE,
    src_address: address(source),
    dst_address: address(destination),
    mcast_sw_if_index: NONE,
    decap_next_index: NONE,
    vni: 10,
    ...more,
  };
}

/** A bridge domain without flooding and learning, that goes with the scope. */
async function bridgeDomain(vpp: VppClient, bd_id = BD): Promise<AsyncDisposable> {
  await vpp.request("bridge_domain_add_del_v2", { bd_id, is_add: true, forward: true });
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      await vpp.request("bridge_domain_add_del_v2", { bd_id, is_add: false });
    },
  };
}

const byName = async (vpp: VppClient, name: string): Promise<Messages["sw_interface_details"]> => {
  const links = await vpp.dump("sw_interface_dump", { sw_if_index: NONE });
  const link = links.find(({ interface_name }) => interface_name === name);
  if (link === undefined) throw new Error(`Cannot find ${name}`);
  return link;
};

/** VXLAN tunnels and bridge domains without packets. Each leaves the switch as it found it. */
export const OVERLAY_API_CASES: readonly ApiCase[] = [
  {
    name: "a VXLAN tunnel is an interface of its own, up, and is dumped with its ports",
    async run(vpp): Promise<void> {
      for (
        const [source, destination] of [
          ["192.0.2.1", "192.0.2.2"],
          ["2001:db8::1", "2001:db8::2"],
        ] as const
      ) {
        const request = tunnel(source, destination, { instance: 70 });
        const { sw_if_index } = await vpp.request("vxlan_add_del_tunnel_v3", request);
        const link = await byName(vpp, "vxlan_tunnel70");
        assertEquals(link.sw_if_index, sw_if_index);
        assertEquals(link.interface_dev_type, "VXLAN");
        assertEquals(link.flags, 3);
        assertEquals([link.link_mtu, link.mtu], [9000, [9000, 0, 0, 0]]);
        assertEquals([...link.l2_address.subarray(0, 2)], [2, 0xfe]);
        const [details, ...more] = await vpp.dump("vxlan_tunnel_v2_dump", { sw_if_index });
        assertEquals(more, []);
        assertEquals(addressText(details!.src_address), source);
        assertEquals(addressText(details!.dst_address), destination);
        const { instance, src_port, dst_port, vni, encap_vrf_id, decap_next_index } = details!;
        assertEquals([instance, src_port, dst_port, vni, encap_vrf_id], [70, 4789, 4789, 10, 0]);
        assertEquals([decap_next_index, details!.mcast_sw_if_index], [1, NONE]);
        const gone = await vpp.request("vxlan_add_del_tunnel_v3", { ...request, is_add: false });
        assertEquals(gone.sw_if_index, sw_if_index);
        assertEquals(await vpp.dump("vxlan_tunnel_v2_dump", { sw_if_index }), []);
      }
    },
  },
  {
    name: "tunnels are refused that exist, have equal ends, two families, no table, a taken number",
    async run(vpp): Promise<void> {
      const ask = async (request: Input<"vxlan_add_del_tunnel_v3">): Promise<number> =>
        (await vpp.requestRaw("vxlan_add_del_tunnel_v3", request)).retval;
      const good = tunnel("192.0.2.1", "192.0.2.2", { instance: 71 });
      assertEquals(await ask(good), Retval.OK);
      assertEquals(await ask({ ...good, instance: 72 }), Retval.TUNNEL_EXIST);
      assertEquals(
        await ask(tunnel("192.0.2.1", "192.0.2.3", { instance: 71 })),
        Retval.INSTANCE_IN_USE,
      );
      assertEquals(await ask(tunnel("192.0.2.1", "192.0.2.1")), Retval.SAME_SRC_DST);
      assertEquals(await ask(tunnel("192.0.2.1", "2001:db8::2")), Retval.INVALID_VALUE);
      assertEquals(
        await ask(tunnel("192.0.2.1", "192.0.2.3", { encap_vrf_id: 4711 })),
        Retval.NO_SUCH_FIB,
      );
      assertEquals(
        await ask(tunnel("192.0.2.1", "192.0.2.3", { decap_next_index: 9999 })),
        Retval.INVALID_DECAP_NEXT,
      );
      assertEquals(
        await ask(tunnel("192.0.2.1", "192.0.2.3", { is_add: false })),
        Retval.NO_SUCH_ENTRY,
      );
      assertEquals(await ask({ ...good, is_add: false }), Retval.OK);
    },
  },
  {
    name: "the end of a tunnel is a prefix in the routing table as long as the tunnel is there",
    async run(vpp): Promise<void> {
      const sources = async (): Promise<number[]> => {
        const routes = await vpp.dump("ip_route_v2_dump", { table: { table_id: 0 } });
        return routes.flatMap(({ route }) =>
          route.prefix.len === 32 && addressText(route.prefix.address) === "203.0.113.77"
            ? [route.src]
            : []
        );
      };
      const request = tunnel("192.0.2.1", "203.0.113.77");
      await vpp.request("vxlan_add_del_tunnel_v3", request);
      assertEquals(await sources(), [18]);
      await vpp.request("vxlan_add_del_tunnel_v3", { ...request, is_add: false });
      assertEquals(await sources(), []);
    },
  },
  {
    name: "a bridge domain tells its members, their groups and its own interface",
    async run(vpp): Promise<void> {
      await using _domain = await bridgeDomain(vpp);
      await using bvi = await loopback(vpp);
      await using member = await loopback(vpp);
      const bridge = { bd_id: BD, enable: true };
      await vpp.request("sw_interface_set_l2_bridge", {
        ...bridge,
        rx_sw_if_index: bvi.index,
        port_type: 1,
      });
      await vpp.request("sw_interface_set_l2_bridge", {
        ...bridge,
        rx_sw_if_index: member.index,
        shg: 1,
      });
      const [details, ...more] = await vpp.dump("bridge_domain_dump", {
        bd_id: BD,
        sw_if_index: NONE,
      });
      assertEquals(more, []);
      assertEquals(details?.bvi_sw_if_index, bvi.index);
      assertEquals(details?.uu_fwd_sw_if_index, NONE);
      assertEquals(
        [details?.forward, details?.flood, details?.uu_flood, details?.learn, details?.arp_term],
        [true, false, false, false, false],
      );
      const members = details?.sw_if_details.map(({ sw_if_index, shg }) => [sw_if_index, shg]);
      assertEquals(
        members?.toSorted(([a = 0], [b = 0]) => a - b),
        [[bvi.index, 0], [member.index, 1]],
      );
      assertEquals(await vpp.dump("bridge_domain_dump", { bd_id: 0, sw_if_index: NONE }), []);
      const deleted = { bd_id: BD, is_add: false };
      assertEquals(
        (await vpp.requestRaw("bridge_domain_add_del_v2", deleted)).retval,
        Retval.BD_IN_USE,
      );
      const second = { ...bridge, rx_sw_if_index: member.index, port_type: 1 };
      assertEquals(
        (await vpp.requestRaw("sw_interface_set_l2_bridge", second)).retval,
        Retval.BD_ALREADY_HAS_BVI,
      );
    },
  },
  {
    name: "bridge domains are refused that exist, are 0, too high or absent",
    async run(vpp): Promise<void> {
      await using _domain = await bridgeDomain(vpp);
      const ask = async (bd_id: number, is_add: boolean): Promise<number> =>
        (await vpp.requestRaw("bridge_domain_add_del_v2", { bd_id, is_add, forward: true })).retval;
      assertEquals(await ask(BD, true), Retval.BD_ALREADY_EXISTS);
      assertEquals(await ask(0, true), Retval.BD_ALREADY_EXISTS);
      assertEquals(await ask(1 << 24, true), Retval.BD_ID_EXCEED_MAX);
      assertEquals(await ask(BD + 1, false), Retval.NO_SUCH_ENTRY);
      assertEquals(await ask(0, false), Retval.BD_NOT_MODIFIABLE);
    },
  },
  {
    name: "MAC addresses are on members only; those of the domain's own interface come with it",
    async run(vpp): Promise<void> {
      await using _domain = await bridgeDomain(vpp);
      await using bvi = await loopback(vpp);
      await using member = await loopback(vpp);
      const entries = async (): Promise<string[]> => {
        const dump = await vpp.dump("l2_fib_table_dump", { bd_id: BD });
        return dump.map(({ mac: bytes, sw_if_index, static_mac, bvi_mac }) =>
          `${bytes.toHex()} ${sw_if_index} ${static_mac ? "static" : ""} ${bvi_mac ? "bvi" : ""}`
        ).sort();
      };
      const bridge = { bd_id: BD, enable: true };
      await vpp.request("sw_interface_set_l2_bridge", {
        ...bridge,
        rx_sw_if_index: bvi.index,
        port_type: 1,
      });
      const own = (await vpp.dump("sw_interface_dump", { sw_if_index: bvi.index }))[0]!.l2_address;
      assertEquals(await entries(), [`${own.toHex()} ${bvi.index} static bvi`]);
      const entry = {
        mac: mac("02:00:00:00:00:07"),
        bd_id: BD,
        sw_if_index: member.index,
        is_add: true,
        static_mac: true,
      };
      const ask = async (more: Partial<typeof entry>): Promise<number> =>
        (await vpp.requestRaw("l2fib_add_del", { ...entry, ...more })).retval;
      assertEquals(await ask({}), Retval.INVALID_SW_IF_INDEX);
      await vpp.request("sw_interface_set_l2_bridge", { ...bridge, rx_sw_if_index: member.index });
      assertEquals(await ask({}), Retval.OK);
      assertEquals(await ask({ bd_id: BD + 1 }), Retval.NO_SUCH_ENTRY);
      assertEquals(await ask({ sw_if_index: 4711 }), Retval.INVALID_SW_IF_INDEX);
      assertEquals((await entries()).includes(`020000000007 ${member.index} static `), true);
      assertEquals(await ask({ is_add: false, sw_if_index: bvi.index }), Retval.NO_SUCH_ENTRY);
      assertEquals(await ask({ is_add: false }), Retval.OK);
      assertEquals(await ask({ is_add: false }), Retval.NO_SUCH_ENTRY);
      await vpp.request("sw_interface_set_l2_bridge", { rx_sw_if_index: bvi.index, enable: false });
      assertEquals(await entries(), []);
    },
  },
  {
    name: "a route over a domain's own interface is an ordinary route",
    async run(vpp): Promise<void> {
      await using _domain = await bridgeDomain(vpp);
      await using bvi = await loopback(vpp);
      const rx_sw_if_index = bvi.index;
      const bridge = { bd_id: BD, enable: true, rx_sw_if_index, port_type: 1 };
      await vpp.request("sw_interface_set_l2_bridge", bridge);
      await vpp.request("sw_interface_add_del_address", {
        sw_if_index: rx_sw_if_index,
        is_add: true,
        prefix: prefix("10.255.0.1/24"),
      });
      const [own] = await vpp.dump("ip_address_dump", { sw_if_index: rx_sw_if_index });
      assertEquals(own?.prefix.len, 24);
    },
  },
];
