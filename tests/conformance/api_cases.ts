import { assert, assertEquals, assertMatch, assertStringIncludes } from "@contiv/assert";
import { Retval, type VppClient } from "@contiv/vppapi";
import {
  address,
  addressText,
  loopback,
  mac,
  NONE,
  prefix,
  prefixText,
  routeText,
  via,
} from "./values.ts";

/** One behaviour of VPP's API. */
export interface ApiCase {
  readonly name: string;
  run(vpp: VppClient): Promise<void>;
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60));

/** Behaviours that need no packets. Each leaves the switch as it found it. */
export const API_CASES: readonly ApiCase[] = [
  {
    name: "the version's program is VPP's, and a ping tells the process",
    async run(vpp): Promise<void> {
      const { program, version } = await vpp.request("show_version");
      assertEquals(program, "vpe");
      assertMatch(version, /^26\.06/);
      const first = await vpp.request("control_ping");
      assert(first.vpe_pid > 0);
      assertEquals((await vpp.request("control_ping")).vpe_pid, first.vpe_pid);
    },
  },
  {
    name: "interface 0 is local0, which has no address, no MTU and no link",
    async run(vpp): Promise<void> {
      const [local] = await vpp.dump("sw_interface_dump", { sw_if_index: NONE });
      assertEquals(local?.sw_if_index, 0);
      assertEquals(local?.interface_name, "local0");
      assertEquals(local?.interface_dev_type, "local");
      assertEquals(local?.flags, 0);
      assertEquals(local?.link_mtu, 0);
      assertEquals(local?.mtu, [0, 0, 0, 0]);
    },
  },
  {
    name: "a loopback is made down, with VPP's name, address and MTU, and comes up with its link",
    async run(vpp): Promise<void> {
      const request = { is_specified: true, user_instance: 7 };
      const { sw_if_index } = await vpp.request("create_loopback_instance", request);
      const details = async () => (await vpp.dump("sw_interface_dump", { sw_if_index }))[0];
      const made = await details();
      assertEquals(made?.interface_name, "loop7");
      assertEquals(made?.interface_dev_type, "Loopback");
      assertEquals(made?.l2_address, mac("de:ad:00:00:00:07"));
      assertEquals(made?.flags, 0);
      assertEquals(made?.link_mtu, 9000);
      assertEquals(made?.mtu, [9000, 0, 0, 0]);
      await vpp.request("sw_interface_set_flags", { sw_if_index, flags: 1 });
      assertEquals((await details())?.flags, 3);
      const again = await vpp.requestRaw("create_loopback_instance", request);
      assertEquals(again.retval, Retval.INVALID_REGISTRATION);
      assertEquals(again.sw_if_index, NONE);
      await vpp.request("delete_loopback", { sw_if_index });
      assertEquals(await details(), undefined);
      const gone = await vpp.requestRaw("delete_loopback", { sw_if_index });
      assertEquals(gone.retval, Retval.INVALID_SW_IF_INDEX);
    },
  },
  {
    name: "a dump filters by index, where 0 means all, and by part of the name in any case",
    async run(vpp): Promise<void> {
      await using loop = await loopback(vpp);
      const one = await vpp.dump("sw_interface_dump", { sw_if_index: loop.index });
      assertEquals(one.map((link) => link.sw_if_index), [loop.index]);
      const all = await vpp.dump("sw_interface_dump", { sw_if_index: 0 });
      assert(all.some((link) => link.sw_if_index === loop.index));
      const named = await vpp.dump("sw_interface_dump", {
        sw_if_index: NONE,
        name_filter_valid: true,
        name_filter: "LOOP",
      });
      assert(named.length > 0);
      assert(named.every((link) => link.interface_name.startsWith("loop")));
      assertEquals(await vpp.dump("sw_interface_dump", { sw_if_index: 9_999 }), []);
    },
  },
  {
    name: "every request on an interface that is not there says so",
    async run(vpp): Promise<void> {
      const sw_if_index = 9_999;
      const retvals = [
        await vpp.requestRaw("sw_interface_set_flags", { sw_if_index, flags: 1 }),
        await vpp.requestRaw("sw_interface_set_mtu", { sw_if_index, mtu: [1500, 0, 0, 0] }),
        await vpp.requestRaw("hw_interface_set_mtu", { sw_if_index, mtu: 1500 }),
        await vpp.requestRaw("sw_interface_add_del_address", {
          sw_if_index,
          is_add: true,
          prefix: prefix("10.0.0.1/24"),
        }),
        await vpp.requestRaw("sw_interface_set_table", { sw_if_index }),
        await vpp.requestRaw("sw_interface_tag_add_del", { sw_if_index, is_add: true, tag: "x" }),
        await vpp.requestRaw("sw_interface_set_mac_address", { sw_if_index }),
        await vpp.requestRaw("sw_interface_set_rx_mode", { sw_if_index, mode: 1 }),
        await vpp.requestRaw("sw_interface_ip6_enable_disable", { sw_if_index, enable: true }),
        await vpp.requestRaw("sw_interface_ip6nd_ra_config", { sw_if_index, suppress: 1 }),
        await vpp.requestRaw("ip_neighbor_add_del", { is_add: true, neighbor: { sw_if_index } }),
        await vpp.requestRaw("tap_delete_v2", { sw_if_index }),
      ].map(({ retval }) => retval);
      assertEquals(retvals, retvals.map(() => Retval.INVALID_SW_IF_INDEX));
    },
  },
  {
    name: "source checks are set per family and dumped; modes, families and tables must exist",
    async run(vpp): Promise<void> {
      await using loop = await loopback(vpp);
      const sw_if_index = loop.index;
      const set = async (mode: number, af: number, table_id = NONE): Promise<number> =>
        (await vpp.requestRaw("urpf_update_v2", { sw_if_index, mode, af, table_id })).retval;
      const dump = async (): Promise<number[][]> =>
        (await vpp.dump("urpf_interface_dump", { sw_if_index }))
          .filter(({ is_input }) => is_input).map(({ af, mode, table_id }) => [af, mode, table_id]);
      assertEquals(await dump(), []);
      assertEquals(await set(3, 0), Retval.INVALID_VALUE);
      assertEquals(await set(2, 2), Retval.INVALID_ADDRESS_FAMILY);
      assertEquals(await set(2, 0, 4711), Retval.INVALID_VALUE);
      assertEquals([await set(2, 0), await set(1, 1)], [0, 0]);
      assertEquals(await dump(), [[0, 2, 0], [1, 1, 0]]);
      assertEquals([await set(0, 0), await set(0, 1)], [0, 0]);
      assertEquals(await dump(), []);
      const gone = await vpp.requestRaw("urpf_update_v2", { sw_if_index: 9_999, mode: 2 });
      assertEquals(gone.retval, Retval.INVALID_SW_IF_INDEX);
    },
  },
  {
    name: "the neighbour table's limits are told as they were set",
    async run(vpp): Promise<void> {
      for (const af of [0, 1]) {
        const get = (): Promise<{ max_number: number; max_age: number; recycle: boolean }> =>
          vpp.request("ip_neighbor_config_get", { af });
        const before = await get();
        assertEquals([before.max_number, before.max_age, before.recycle], [50_000, 0, false]);
        const wanted = { af, max_number: 1_000, max_age: 60, recycle: true };
        await vpp.request("ip_neighbor_config", wanted);
        const { max_number, max_age, recycle } = await get();
        assertEquals({ af, max_number, max_age, recycle }, wanted);
        await vpp.request("ip_neighbor_config", { af, ...before });
      }
      const wrong = await vpp.requestRaw("ip_neighbor_config_get", { af: 2 });
      assertEquals(wrong.retval, Retval.INVALID_ADDRESS_FAMILY);
    },
  },
  {
    name: "addresses are added once, dumped per family, and removed",
    async run(vpp): Promise<void> {
      await using loop = await loopback(vpp);
      const change = async (text: string, is_add = true): Promise<number> =>
        (await vpp.requestRaw("sw_interface_add_del_address", {
          sw_if_index: loop.index,
          is_add,
          prefix: prefix(text),
        })).retval;
      const dump = async (is_ipv6: boolean): Promise<string[]> =>
        (await vpp.dump("ip_address_dump", { sw_if_index: loop.index, is_ipv6 }))
          .map((details) => prefixText(details.prefix));
      assertEquals(await change("10.9.0.1/24"), 0);
      assertEquals(await change("10.9.0.1/24"), Retval.ADDRESS_IN_USE);
      assertEquals(await change("10.9.0.2/24"), 0);
      assertEquals(await change("10.9.0.3/25"), Retval.ADDRESS_IN_USE);
      assertEquals(await change("10.9.9.9/24", false), Retval.ADDRESS_NOT_FOUND_FOR_INTERFACE);
      assertEquals(await change("10.8.0.1/0"), Retval.ADDRESS_IN_USE);
      assertEquals(await change("2001:db8::1/64"), 0);
      assertEquals(await dump(false), ["10.9.0.1/24", "10.9.0.2/24"]);
      assertEquals(await dump(true), ["2001:db8::1/64"]);
      assertEquals(await change("10.9.0.1/24", false), 0);
      assertEquals(await dump(false), ["10.9.0.2/24"]);
      await vpp.request("sw_interface_add_del_address", {
        sw_if_index: loop.index,
        is_add: false,
        del_all: true,
      });
      assertEquals([...await dump(false), ...await dump(true)], []);
    },
  },
  {
    name: "the addresses of an up interface make routes, those of a down interface none",
    async run(vpp): Promise<void> {
      await using loop = await loopback(vpp, false);
      const routes = async (): Promise<string[]> =>
        (await vpp.dump("ip_route_v2_dump", { table: { table_id: 0 } })).map(routeText)
          .filter((text) => text.startsWith("10.7.")).sort();
      await vpp.request("sw_interface_add_del_address", {
        sw_if_index: loop.index,
        is_add: true,
        prefix: prefix("10.7.0.1/24"),
      });
      assertEquals(await routes(), []);
      await vpp.request("sw_interface_set_flags", { sw_if_index: loop.index, flags: 1 });
      assertEquals(await routes(), [
        "10.7.0.0/24 src 4: type 0 if " + loop.index + " 0.0.0.0 weight 1",
        "10.7.0.0/32 src 4: type 2 if - 0.0.0.0 weight 1",
        "10.7.0.1/32 src 4: type 1 if " + loop.index + " 10.7.0.1 weight 1",
        "10.7.0.255/32 src 4: type 2 if - 0.0.0.0 weight 1",
      ]);
      await vpp.request("sw_interface_set_flags", { sw_if_index: loop.index, flags: 0 });
      assertEquals(await routes(), []);
    },
  },
  {
    name: "an interface borrows the addresses of another, and the dump says whose",
    async run(vpp): Promise<void> {
      await using lender = await loopback(vpp);
      await using borrower = await loopback(vpp);
      const set = async (sw: number, unnumbered: number, is_add: boolean): Promise<number> =>
        (await vpp.requestRaw("sw_interface_set_unnumbered", {
          sw_if_index: sw,
          unnumbered_sw_if_index: unnumbered,
          is_add,
        })).retval;
      assertEquals(await set(lender.index, 9_999, true), Retval.INVALID_SW_IF_INDEX);
      assertEquals(await set(9_999, borrower.index, true), Retval.INVALID_SW_IF_INDEX_2);
      assertEquals(await set(lender.index, borrower.index, true), 0);
      assertEquals(await vpp.dump("ip_unnumbered_dump", { sw_if_index: NONE }), [
        { sw_if_index: borrower.index, ip_sw_if_index: lender.index },
      ]);
      assertEquals(await vpp.dump("ip_unnumbered_dump", { sw_if_index: lender.index }), []);
      assertEquals(await set(lender.index, borrower.index, false), 0);
      assertEquals(await vpp.dump("ip_unnumbered_dump", { sw_if_index: NONE }), []);
    },
  },
  {
    name: "tags are set, refused when empty, and cleared",
    async run(vpp): Promise<void> {
      await using loop = await loopback(vpp);
      const sw_if_index = loop.index;
      const tag = async (): Promise<string | undefined> =>
        (await vpp.dump("sw_interface_dump", { sw_if_index }))[0]?.tag;
      const empty = { sw_if_index, is_add: true, tag: "" };
      const refused = await vpp.requestRaw("sw_interface_tag_add_del", empty);
      assertEquals(refused.retval, Retval.INVALID_VALUE);
      await vpp.request("sw_interface_tag_add_del", { sw_if_index, is_add: true, tag: "pod/a" });
      assertEquals(await tag(), "pod/a");
      await vpp.request("sw_interface_tag_add_del", { sw_if_index, is_add: false });
      assertEquals(await tag(), "");
    },
  },
  {
    name: "MTU and MAC address are set where the interface has them",
    async run(vpp): Promise<void> {
      await using loop = await loopback(vpp);
      const sw_if_index = loop.index;
      await vpp.request("sw_interface_set_mtu", { sw_if_index, mtu: [1400, 1300, 0, 0] });
      await vpp.request("sw_interface_set_mac_address", {
        sw_if_index,
        mac_address: mac("02:01:02:03:04:05"),
      });
      const [link] = await vpp.dump("sw_interface_dump", { sw_if_index });
      assertEquals(link?.mtu, [1400, 1300, 0, 0]);
      assertEquals(link?.l2_address, mac("02:01:02:03:04:05"));
      const retvals = [
        await vpp.requestRaw("hw_interface_set_mtu", { sw_if_index, mtu: 1400 }),
        await vpp.requestRaw("hw_interface_set_mtu", { sw_if_index: 0, mtu: 1400 }),
        await vpp.requestRaw("sw_interface_set_mac_address", { sw_if_index: 0 }),
      ].map(({ retval }) => retval);
      assertEquals(retvals, [Retval.UNSUPPORTED, Retval.FEATURE_DISABLED, Retval.UNIMPLEMENTED]);
    },
  },
  {
    name: "interface events come to those who asked, one per change, and end with their asking",
    async run(vpp): Promise<void> {
      const seen: string[] = [];
      const off = vpp.on("sw_interface_event", ({ pid, sw_if_index, flags, deleted }) => {
        seen.push(`${pid} ${sw_if_index} ${flags} ${deleted}`);
      });
      const want = async (enable_disable: number): Promise<number> =>
        (await vpp.requestRaw("want_interface_events", { enable_disable, pid: 77 })).retval;
      assertEquals(await want(0), Retval.INVALID_REGISTRATION);
      assertEquals(await want(1), 0);
      assertEquals(await want(1), Retval.INVALID_REGISTRATION);
      const { sw_if_index } = await vpp.request("create_loopback_instance");
      await settle();
      for (const flags of [1, 1, 0]) {
        await vpp.request("sw_interface_set_flags", { sw_if_index, flags });
        await settle();
      }
      await vpp.request("delete_loopback", { sw_if_index });
      await settle();
      assertEquals(await want(0), 0);
      await using _silent = await loopback(vpp);
      await settle();
      off();
      assertEquals(seen, [
        `77 ${sw_if_index} 0 false`,
        `77 ${sw_if_index} 3 false`,
        `77 ${sw_if_index} 0 false`,
        `77 ${sw_if_index} 0 true`,
      ]);
    },
  },
  {
    name: "neighbours are added, kept static, dumped with their age, told of, and removed",
    async run(vpp): Promise<void> {
      await using loop = await loopback(vpp);
      const sw_if_index = loop.index;
      const prefixed = { sw_if_index, is_add: true, prefix: prefix("10.6.0.1/24") };
      await vpp.request("sw_interface_add_del_address", prefixed);
      const seen: string[] = [];
      const off = vpp.on("ip_neighbor_event_v2", ({ pid, flags, neighbor }) => {
        seen.push(`${pid} ${flags} ${addressText(neighbor.ip_address)}`);
      });
      const want = { enable: true, pid: 5, sw_if_index: NONE };
      await vpp.request("want_ip_neighbor_events_v2", want);
      const neighbor = { sw_if_index, flags: 1, ip_address: address("10.6.0.9") };
      const set = (is_add: boolean, more: { mac_address?: Uint8Array; flags?: number }) =>
        vpp.requestRaw("ip_neighbor_add_del", { is_add, neighbor: { ...neighbor, ...more } });
      const added = await set(true, { mac_address: mac("02:00:00:00:00:09") });
      assertEquals(added.retval, 0);
      assert(added.stats_index !== NONE);
      const changed = await set(true, { mac_address: mac("02:00:00:00:00:08"), flags: 0 });
      assertEquals(changed.retval, -2);
      await settle();
      const [found, ...more] = await vpp.dump("ip_neighbor_dump", { sw_if_index, af: 0 });
      assertEquals(more, []);
      assertEquals(found?.neighbor.mac_address, mac("02:00:00:00:00:09"));
      assertEquals(found?.neighbor.flags, 1);
      assert((found?.age ?? -1) >= 0);
      assertEquals((await set(false, {})).retval, 0);
      assertEquals((await set(false, {})).retval, Retval.NO_SUCH_ENTRY);
      await settle();
      await vpp.request("want_ip_neighbor_events_v2", { ...want, enable: false });
      off();
      assertEquals(seen, ["5 1 10.6.0.9", "5 2 10.6.0.9"]);
    },
  },
  {
    name: "neighbours not set again between replace begin and end go",
    async run(vpp): Promise<void> {
      await using loop = await loopback(vpp);
      const sw_if_index = loop.index;
      const set = (last: number) =>
        vpp.request("ip_neighbor_add_del", {
          is_add: true,
          neighbor: {
            sw_if_index,
            flags: 1,
            mac_address: mac(`02:00:00:00:00:0${last}`),
            ip_address: address(`10.6.1.${last}`),
          },
        });
      await set(1);
      await set(2);
      await vpp.request("ip_neighbor_replace_begin");
      await set(2);
      await vpp.request("ip_neighbor_replace_end");
      const left = await vpp.dump("ip_neighbor_dump", { sw_if_index, af: 0 });
      assertEquals(left.map(({ neighbor }) => addressText(neighbor.ip_address)), ["10.6.1.2"]);
    },
  },
  {
    name: "tables are made, listed by family, bound to interfaces without addresses, and removed",
    async run(vpp): Promise<void> {
      await using loop = await loopback(vpp);
      const table = { table_id: 5, is_ip6: false, name: "five" };
      const ids = async (): Promise<string[]> =>
        (await vpp.dump("ip_table_dump")).map(({ table: t }) => `${t.is_ip6} ${t.table_id}`);
      await vpp.request("ip_table_add_del_v2", { is_add: true, table });
      assertEquals(await ids(), ["false 0", "false 5", "true 0"]);
      const bind = async (vrf_id: number): Promise<number> =>
        (await vpp.requestRaw("sw_interface_set_table", { sw_if_index: loop.index, vrf_id }))
          .retval;
      assertEquals(await bind(6), Retval.NO_SUCH_FIB);
      const prefixed = { sw_if_index: loop.index, prefix: prefix("10.5.0.1/24") };
      await vpp.request("sw_interface_add_del_address", { ...prefixed, is_add: true });
      assertEquals(await bind(5), Retval.ADDRESS_FOUND_FOR_INTERFACE);
      await vpp.request("sw_interface_add_del_address", { ...prefixed, is_add: false });
      assertEquals(await bind(5), 0);
      assertEquals(await bind(0), 0);
      await vpp.request("ip_table_add_del_v2", { is_add: false, table });
      assertEquals(await ids(), ["false 0", "true 0"]);
      const begun = await vpp.requestRaw("ip_table_replace_begin", { table });
      assertEquals(begun.retval, Retval.NO_SUCH_FIB);
    },
  },
  {
    name: "routes are checked, replaced, added to, dumped by source, and removed",
    async run(vpp): Promise<void> {
      await using loop = await loopback(vpp);
      const table_id = 0;
      const set = (text: string, paths: readonly ReturnType<typeof via>[], more = {}) =>
        vpp.requestRaw("ip_route_add_del_v2", {
          is_add: true,
          route: { table_id, prefix: prefix(text), paths, ...more },
        });
      const path = via(loop.index, "10.4.0.9");
      const dump = async (src = 8): Promise<string[]> =>
        (await vpp.dump("ip_route_v2_dump", { table: { table_id }, src })).map(routeText);
      const added = await set("20.0.0.7/24", [path]);
      assertEquals(added.retval, 0);
      assert(added.stats_index !== NONE);
      assertEquals((await set("20.0.0.0/24", [path], { table_id: 6 })).retval, Retval.NO_SUCH_FIB);
      assertEquals((await set("20.0.0.0/24", [])).retval, Retval.NO_PATHS_IN_ROUTE);
      assertEquals((await set("20.0.0.0/33", [path])).retval, Retval.INVALID_PREFIX_LENGTH);
      const nowhere = await set("20.1.0.0/24", [via(777, "10.4.0.9")]);
      assertEquals(nowhere.retval, Retval.NO_MATCHING_INTERFACE);
      const line = `type 0 if ${loop.index} 10.4.0.9 weight 1`;
      assertEquals(await dump(), [`20.0.0.0/24 src 8: ${line}`]);
      assertEquals(await dump(9), []);
      await vpp.request("ip_route_add_del_v2", {
        is_add: true,
        is_multipath: true,
        route: { prefix: prefix("20.0.0.0/24"), paths: [via(loop.index, "10.4.0.10")] },
      });
      assertEquals(await dump(), [
        `20.0.0.0/24 src 8: ${line}; type 0 if ${loop.index} 10.4.0.10 weight 1`,
      ]);
      const gone = { is_add: false, route: { prefix: prefix("20.0.0.0/24") } };
      await vpp.request("ip_route_add_del_v2", gone);
      assertEquals(await dump(), []);
      assertEquals((await vpp.requestRaw("ip_route_add_del_v2", gone)).retval, 0);
      assertEquals(await vpp.dump("ip_route_v2_dump", { table: { table_id: 99 } }), []);
    },
  },
  {
    name: "routes not set again between replace begin and end go",
    async run(vpp): Promise<void> {
      await using loop = await loopback(vpp);
      const table = { table_id: 0 };
      const set = (text: string) =>
        vpp.request("ip_route_add_del_v2", {
          is_add: true,
          route: { prefix: prefix(text), paths: [via(loop.index, "10.4.0.9")] },
        });
      await set("21.0.0.0/24");
      await set("21.0.1.0/24");
      await vpp.request("ip_table_replace_begin", { table });
      await set("21.0.1.0/24");
      await vpp.request("ip_table_replace_end", { table });
      const left = (await vpp.dump("ip_route_v2_dump", { table, src: 8 })).map(routeText);
      assertEquals(left.map((text) => text.split(" ")[0]), ["21.0.1.0/24"]);
      await vpp.request("ip_table_flush", { table });
      assertEquals(await vpp.dump("ip_route_v2_dump", { table, src: 8 }), []);
    },
  },
  {
    name: "router advertisements are suppressed where IPv6 is on",
    async run(vpp): Promise<void> {
      await using loop = await loopback(vpp);
      const sw_if_index = loop.index;
      const suppress = async (): Promise<number> =>
        (await vpp.requestRaw("sw_interface_ip6nd_ra_config", { sw_if_index, suppress: 1 }))
          .retval;
      assertEquals(await suppress(), Retval.IP6_NOT_ENABLED);
      await vpp.request("sw_interface_ip6_enable_disable", { sw_if_index, enable: true });
      assertEquals(await suppress(), 0);
    },
  },
  {
    name: "interfaces of the host that are not there are refused, and no TAP is listed",
    async run(vpp): Promise<void> {
      const create = async (mode: number): Promise<readonly number[]> => {
        const request = { mode, host_if_name: "nope", use_random_hw_addr: true };
        const { retval, sw_if_index } = await vpp.requestRaw("af_packet_create_v3", request);
        return [retval, sw_if_index];
      };
      assertEquals(await create(7), [Retval.INVALID_VALUE, NONE]);
      assertEquals(await create(1), [Retval.INVALID_INTERFACE, 0]);
      const gone = await vpp.requestRaw("af_packet_delete", { host_if_name: "nope" });
      assertEquals(gone.retval, Retval.SYSCALL_ERROR_1);
      assertEquals(await vpp.dump("sw_interface_tap_v2_dump", { sw_if_index: NONE }), []);
    },
  },
  {
    name: "an interface of the host is attached once, up, with its link, and detached",
    async run(vpp): Promise<void> {
      const request = { mode: 1, host_if_name: "lo", use_random_hw_addr: true };
      const { sw_if_index } = await vpp.request("af_packet_create_v3", request);
      const again = await vpp.requestRaw("af_packet_create_v3", request);
      assertEquals([again.retval, again.sw_if_index], [Retval.IF_ALREADY_EXISTS, sw_if_index]);
      assertEquals(await vpp.dump("af_packet_dump"), [{ sw_if_index, host_if_name: "lo" }]);
      const [link] = await vpp.dump("sw_interface_dump", { sw_if_index });
      assertEquals(link?.interface_name, "host-lo");
      assertEquals(link?.interface_dev_type, "af-packet");
      assertEquals(link?.flags, 2);
      assertEquals([...link?.l2_address.subarray(0, 2) ?? []], [0x02, 0xfe]);
      await vpp.request("af_packet_delete", { host_if_name: "lo" });
      assertEquals(await vpp.dump("af_packet_dump"), []);
    },
  },
  {
    name: "the CLI answers, and says what it does not know in VPP's words",
    async run(vpp): Promise<void> {
      await using loop = await loopback(vpp);
      const { interface_name: name } =
        (await vpp.dump("sw_interface_dump", { sw_if_index: loop.index }))[0] ?? {};
      const cli = async (cmd: string): Promise<string> => {
        const { retval, reply } = await vpp.requestRaw("cli_inband", { cmd });
        return `${retval} ${reply}`;
      };
      assertEquals(await cli("foo bar"), "-1 unknown input `foo bar'\n");
      assertEquals(await cli("show foo"), "-1 show: unknown input `foo'\n");
      assertMatch(await cli("show version"), /^0 vpp v26\.06/);
      const shown = await cli("show interface");
      assertStringIncludes(
        shown,
        "0               Name               Idx    State  MTU (L3/IP4/IP6/MPLS)     Counter" +
          "          Count     \n" +
          "local0                            0     down          0/0/0/0       \n",
      );
      const row = `${name?.padEnd(32)}  ${loop.index}      up          9000/0/0/0     \n`;
      assertStringIncludes(shown, row);
      assertStringIncludes(await cli("sh int addr"), `${name} (up):\n`);
      assertStringIncludes(await cli("show errors"), "0    Count                  Node");
      assertStringIncludes(await cli("show trace"), "No packets in trace buffer");
      assertEquals(
        await cli("trace add foo 1"),
        "-1 trace add: expected NODE COUNT, got `foo 1'\n",
      );
      assertEquals(await cli("clear trace"), "0 ");
    },
  },
  {
    name: "an empty trace dumps nothing, and a wrong filter is refused",
    async run(vpp): Promise<void> {
      const refused = await vpp.requestRaw("trace_set_filters", { flag: 9 });
      assertEquals(refused.retval, Retval.INVALID_VALUE);
      await vpp.request("trace_set_filters", { flag: 0 });
      await vpp.request("trace_clear_capture");
      assertEquals(await vpp.dump("trace_v2_dump", { thread_id: NONE, max: 10 }), []);
    },
  },
  {
    name: "a thousand pipelined requests are all answered, in order",
    async run(vpp): Promise<void> {
      await using loop = await loopback(vpp);
      const order: number[] = [];
      const table = { table_id: 0 };
      await Promise.all(Array.from({ length: 1_000 }, async (_, i) => {
        await vpp.request("ip_route_add_del_v2", {
          is_add: true,
          route: {
            prefix: prefix(`22.${i >> 8}.${i & 255}.0/24`),
            paths: [via(loop.index, "10.4.0.9")],
          },
        });
        order.push(i);
      }));
      assertEquals(order, Array.from({ length: 1_000 }, (_, i) => i));
      assertEquals((await vpp.dump("ip_route_v2_dump", { table, src: 8 })).length, 1_000);
      await vpp.request("ip_table_flush", { table });
    },
  },
];
