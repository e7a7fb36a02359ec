/** Messages that end VPP, each sent to one of its own. Record: 0012. */
import { assert, assertEquals } from "@contiv/assert";
import { IpProto } from "@contiv/vppapi";
import { NONE, prefix } from "../conformance/values.ts";
import { setKubernetesSnat, setService } from "./lab/cnat.ts";
import type { Lab } from "./lab/lab.ts";
import { probe } from "./lab/probe.ts";

/** Whether VPP dies of it. */
async function dies(lab: Lab, act: () => Promise<unknown>): Promise<boolean> {
  const crash = lab.process.ended.then(() => true);
  await act().catch(() => {});
  const limit = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => limit.resolve(false), 3_000);
  const dead = await Promise.race([crash, limit.promise]);
  clearTimeout(timer);
  return dead;
}

probe("a translation with no paths kills VPP", async (lab) => {
  assert(await dies(lab, () => setService(lab.vpp, { vip: "10.96.0.1|80", backends: [] })));
});

probe("taking the last path from a translation kills VPP", async (lab) => {
  const vip = "10.96.0.1|80";
  await setService(lab.vpp, { vip, backends: ["10.1.0.2|80"] });
  assert(await dies(lab, () => setService(lab.vpp, { vip, backends: [] })));
});

probe("a SNAT policy before the SNAT addresses kills VPP", async (lab) => {
  assert(await dies(lab, () => lab.vpp.request("cnat_set_snat_policy", { policy: 2 })));
});

probe("an excluded prefix before the SNAT addresses kills VPP", async (lab) => {
  const excluded = { is_add: 1, prefix: prefix("10.1.0.0/16") };
  const set = () => lab.vpp.request("cnat_snat_policy_add_del_exclude_pfx", excluded);
  assert(await dies(lab, set));
});

probe("an interface in a SNAT table before the SNAT addresses is refused", async (lab) => {
  const FEATURE_DISABLED = -30;
  const fields = { is_add: 1, table: 2 };
  const { retval } = await lab.vpp.requestRaw("cnat_snat_policy_add_del_if", fields);
  assertEquals(retval, FEATURE_DISABLED);
});

probe("in the order addresses, policy, prefixes, all are taken", async (lab) => {
  await setKubernetesSnat(lab.vpp, "10.1.0.1", "fd00:1::1", ["10.1.0.0/16"]);
});

probe("a route through an unknown UDP encapsulation kills VPP", async (lab) => {
  const route = {
    prefix: prefix("10.98.0.0/24"),
    paths: [{ type: 3, sw_if_index: NONE, nh: { obj_id: 99 } }],
  };
  assert(await dies(lab, () => lab.vpp.request("ip_route_add_del_v2", { is_add: true, route })));
});

probe("wrong interface indexes", async (lab, t) => {
  const sw_if_index = 4_000;
  await t.step("cnat's feature", async () => {
    const { retval } = await lab.vpp.requestRaw("feature_cnat_enable_disable", {
      sw_if_index,
      enable_disable: true,
    });
    assertEquals(retval, -2);
  });
  await t.step("a deletion of a translation that is not there", async () => {
    const { retval } = await lab.vpp.requestRaw("cnat_translation_del", { id: 99 });
    assertEquals(retval, -6);
  });
  await t.step("protocol 255 in a translation", async () => {
    const { retval } = await lab.vpp.requestRaw("cnat_translation_update", {
      translation: { ip_proto: IpProto.RESERVED, vip: { port: 1 }, paths: [{}] },
    });
    assertEquals(retval, 0);
  });
});
