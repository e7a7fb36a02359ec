import { assert, assertEquals, assertRejects } from "@contiv/assert";
import { IfStatusFlags, Schema, VppApiError, type VppClient } from "@contiv/vppapi";
import { REQUIRED_MESSAGES } from "../../agent/vpp/mod.ts";
import { dataPlaneTest } from "../support/requires.ts";
import { Target } from "./target.ts";

/** What the client must do with any VPP. */
const CASES: readonly (readonly [name: string, run: (vpp: VppClient) => Promise<void>])[] = [
  ["it tells its version and has what the agent needs, nothing with another layout", async (
    vpp,
  ) => {
    const { program, version } = await vpp.request("show_version");
    assertEquals([program, version.slice(0, 5)], ["vpe", Schema.builtin().version]);
    assertEquals(vpp.missing(REQUIRED_MESSAGES), []);
    const differing = vpp.missing(Schema.builtin().names()).filter((each) =>
      each.reason === "layout"
    );
    assertEquals(differing, []);
  }],
  ["an interface is made, seen, set, refused, deleted, and its events arrive", async (vpp) => {
    const events: [number, number, boolean][] = [];
    vpp.on("sw_interface_event", (event) => {
      events.push([event.sw_if_index, event.flags, event.deleted]);
    });
    await vpp.request("want_interface_events", { enable_disable: 1, pid: Deno.pid });
    const { sw_if_index } = await vpp.request("create_loopback_instance", {
      mac_address: new Uint8Array([2, 0, 0, 1, 2, 3]),
    });
    try {
      const flags = IfStatusFlags.ADMIN_UP;
      await vpp.request("sw_interface_set_flags", { sw_if_index, flags });
      await vpp.request("sw_interface_tag_add_del", { is_add: true, sw_if_index, tag: "contiv" });
      await vpp.request("sw_interface_add_del_address", {
        sw_if_index,
        is_add: true,
        prefix: { address: { un: new Uint8Array([10, 99, 0, 1]) }, len: 24 },
      });
      const [link] = await vpp.dump("sw_interface_dump", { sw_if_index });
      assertEquals([link?.sw_if_index, link?.tag, link?.l2_address.toHex()], [
        sw_if_index,
        "contiv",
        "020000010203",
      ]);
      assertEquals((link?.flags ?? 0) & flags, flags);
      const [address] = await vpp.dump("ip_address_dump", { sw_if_index });
      assertEquals(address?.prefix.address.un.slice(0, 4), new Uint8Array([10, 99, 0, 1]));
      const routes = await vpp.dump("ip_route_v2_dump", { table: { table_id: 0 } });
      const own = routes.filter(({ route }) => route.prefix.address.un[1] === 99);
      assert(own.some(({ route }) => route.paths.length === 1), `${own.length} routes`);
      const refused = () => vpp.request("sw_interface_set_flags", { sw_if_index: 0xfffffffe });
      assertEquals((await assertRejects(refused, VppApiError)).code, "INVALID_SW_IF_INDEX");
    } finally {
      await vpp.request("delete_loopback", { sw_if_index });
    }
    await vpp.request("control_ping");
    const own = events.filter(([index]) => index === sw_if_index);
    assert(own.some(([, flags]) => (flags & IfStatusFlags.ADMIN_UP) !== 0), JSON.stringify(events));
    assert(own.some(([, , deleted]) => deleted), JSON.stringify(events));
  }],

  ["many pings in one turn come back in order", async (vpp) => {
    const order: number[] = [];
    const pings = Array.from(
      { length: 10_000 },
      (_, index) => vpp.request("control_ping").then(() => order.push(index)),
    );
    await Promise.all(pings);
    assertEquals(order, pings.map((_, index) => index));
    assert(vpp.stats.writes < 100, `${vpp.stats.writes} writes`);
  }],

  ["time is in this host's order", async (vpp) => {
    const { vpe_system_time } = await vpp.request("show_vpe_system_time");
    assert(Math.abs(vpe_system_time - Date.now() / 1000) < 86_400, `${vpe_system_time} s`);
  }],
];

dataPlaneTest("the client gets along", async (dataPlane, t) => {
  await using target = await Target.start(dataPlane);
  for (const [name, run] of CASES) {
    await t.step(name, async () => {
      await using vpp = await target.connect();
      await run(vpp);
    });
  }
});
