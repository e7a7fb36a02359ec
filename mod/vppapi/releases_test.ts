import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@contiv/assert";
import { TapFlags } from "./messages.ts";
import { differenceOf } from "./record_release.ts";
import { knownReleases, releaseDocument, releaseSchemas } from "./releases.ts";
import { Schema } from "./schema.ts";
import { FakeVpp } from "./testing.ts";
import { VppSchemaError } from "./error.ts";

/** Messages that the agent cannot work without, and those of services and policies. */
const IN_USE = [
  "tap_create_v3",
  "ip_route_add_del_v2",
  "ip_route_v2_dump",
  "ip_neighbor_add_del",
  "sw_interface_dump",
  "urpf_update_v2",
  "macip_acl_add_replace",
  "macip_acl_dump",
  "macip_acl_interface_add_del",
  "macip_acl_interface_list_dump",
  "af_packet_create_v3",
  "acl_add_replace",
  "acl_interface_set_acl_list",
  "cnat_translation_update",
  "cnat_translation_dump",
  "vxlan_add_del_tunnel_v3",
  "bridge_domain_add_del_v2",
] as const;

/** A fake VPP of a release. */
function vppOf(release: string): FakeVpp {
  return new FakeVpp({ schema: Schema.of(releaseDocument(release)) });
}

Deno.test("every message of every known release resolves, and the difference is what is recorded", () => {
  assertEquals(knownReleases().at(0), "24.02");
  assertEquals(knownReleases().at(-1), Schema.builtin().version);
  for (const release of knownReleases()) {
    const document = releaseDocument(release);
    assertEquals(Schema.parse(document).version, release);
    // Recording what was put together gives back the record.
    const { lacks, messages } = differenceOf(document, releaseDocument("26.06"));
    for (const name of lacks) assert(!Object.hasOwn(document.messages, name), name);
    for (const name of Object.keys(messages)) {
      assert(document.messages[name]?.crc !== releaseDocument("26.06").messages[name]?.crc, name);
    }
  }
  assertThrows(() => releaseDocument("19.08"), RangeError, "24.02");
  assertEquals(releaseSchemas().map(({ version }) => version), knownReleases().toReversed());
});

Deno.test("each release is spoken to in its own layouts, without its descriptions", async (t) => {
  for (const release of knownReleases()) {
    await t.step(release, async () => {
      const vpp = vppOf(release);
      await using client = await vpp.client();
      assertEquals(client.missing(IN_USE), []);
      vpp.reply("tap_create_v3", { sw_if_index: 5 });
      const { sw_if_index } = await client.request("tap_create_v3", {
        host_if_name: "eth0",
        tap_flags: TapFlags.GSO | TapFlags.PERSIST,
      });
      assertEquals(sw_if_index, 5);
      const { fields } = vpp.history.at(-1) ?? {};
      assertEquals([fields?.["host_if_name"], fields?.["tap_flags"], fields?.["num_rx_queues"]], [
        "eth0",
        5,
        1,
      ]);
    });
  }
});

Deno.test("a value that a release does not know is refused, those it knows are sent", async () => {
  const vpp = vppOf("25.02");
  await using client = await vpp.client();
  await client.request("cnat_set_snat_policy", { policy: 2 });
  assertEquals(vpp.history.at(-1)?.fields, { policy: 2 });
  const refused = () => client.request("cnat_set_snat_policy", { policy: 3 });
  const error = await assertRejects(refused, VppSchemaError);
  assertMatch(error.message, /VPP \S+ does not know the value CNAT_POLICY_DNAT/);
  // The connection goes on: nothing of it was sent.
  await client.request("cnat_set_snat_policy", { policy: 1 });
  assertEquals(vpp.history.length, 2);
});

Deno.test("what a release lacks is unavailable by name, and what says too little, too", async () => {
  await using client = await vppOf("24.02").client();
  assertEquals(client.supports("cnat_session_dump"), false);
  assertEquals(client.missing(["feature_cnat_enable_disable", "cnat_session_dump"]), [
    { name: "feature_cnat_enable_disable", reason: "absent" },
    { name: "feature_cnat_enable_disable_reply", reason: "absent" },
    { name: "cnat_session_details", reason: "layout" },
  ]);
  const absent = () => client.request("feature_cnat_enable_disable", { sw_if_index: 1 });
  const error = await assertRejects(absent, VppSchemaError);
  assertMatch(error.message, /feature_cnat_enable_disable: VPP does not have it/);
  const other = await assertRejects(() => client.dump("cnat_session_dump"), VppSchemaError);
  assertMatch(other.message, /cnat_session\.tuple: VPP \S+ does not send it/);
});

Deno.test("VPP's own descriptions rule: they tell of values that no CRC tells of", async () => {
  // tap_create_v3 has the same CRC in 24.02 and 26.06, but one flag more in 26.06.
  const described = Schema.of(releaseDocument("24.02"));
  const fields = { tap_flags: TapFlags.CONSISTENT_QP | TapFlags.GSO };
  await using blind = await vppOf("24.02").client();
  await blind.request("tap_create_v3", fields);
  await using client = await vppOf("24.02").client({ described });
  await client.request("tap_create_v3", { tap_flags: TapFlags.GSO });
  const error = await assertRejects(() => client.request("tap_create_v3", fields), VppSchemaError);
  assertMatch(error.message, /tap_flags: VPP 24\.02 does not know the value 257/);
});

Deno.test("descriptions of another VPP than the one that runs are not believed", async () => {
  const described = Schema.of(releaseDocument("24.02"));
  const vpp = vppOf("26.06");
  await using client = await vpp.client({ described });
  await client.request("cnat_set_snat_policy", { policy: 3 });
  assertEquals(vpp.history.at(-1)?.fields, { policy: 3 });
});
