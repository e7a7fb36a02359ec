/** What cnat gives back of what it was given. Record: 0015. */
import { assert, assertEquals } from "@contiv/assert";
import { IpProto } from "@contiv/vppapi";
import { addressText, prefixText } from "../conformance/values.ts";
import { inTable, setKubernetesSnat, setService } from "./lab/cnat.ts";
import type { Lab } from "./lab/lab.ts";
import { probe } from "./lab/probe.ts";

/** Source of routes that the API added. */
const API = 8;

async function routes(lab: Lab, src: number, is_ip6: boolean): Promise<string[]> {
  const details = await lab.vpp.dump("ip_route_v2_dump", { table: { table_id: 0, is_ip6 }, src });
  return details.map(({ route }) => `${prefixText(route.prefix)} src ${route.src}`).sort();
}

probe(
  "cnat_translation_details gives back paths, but not flags, is_real_ip and hash",
  async (lab) => {
    const id = await setService(lab.vpp, {
      vip: "10.96.0.1|80",
      backends: ["10.1.0.3|8080", "10.1.0.4|8080"],
      protocol: IpProto.UDP,
      isRealIp: 1,
      flags: 4,
      flowHash: 1,
    });
    const [details] = await lab.vpp.dump("cnat_translation_dump");
    assert(details !== undefined);
    const { translation: got } = details;
    assertEquals([got.id, got.ip_proto, got.lb_type], [id, IpProto.UDP, 1]);
    assertEquals([addressText(got.vip.addr), got.vip.port], ["10.96.0.1", 80]);
    assertEquals(
      got.paths.map(({ dst_ep }) => `${addressText(dst_ep.addr)} ${dst_ep.port}`),
      ["10.1.0.3 8080", "10.1.0.4 8080"],
    );
    assertEquals([got.flags, got.is_real_ip, got.flow_hash_config], [0, 0, 0]);
    // An internal bit, "active", is let out among the path's flags.
    assertEquals(got.paths.map(({ flags }) => flags), [4, 4]);
  },
);

probe("cnat's own routes do not have the API as their source", async (lab) => {
  await lab.pod("b", ["10.1.0.3", "fd00:1::3"]);
  const before4 = await routes(lab, API, false);
  const before6 = await routes(lab, API, true);
  await setService(lab.vpp, { vip: "10.96.0.1|80", backends: ["10.1.0.3|80", "10.2.0.9|80"] });
  await setService(lab.vpp, { vip: "fd00:96::1|80", backends: ["fd00:1::3|80", "fd00:9::9|80"] });
  assertEquals(await routes(lab, API, false), before4);
  assertEquals(await routes(lab, API, true), before6);
  const all = [...await routes(lab, 0, false), ...await routes(lab, 0, true)];
  const cnat = all.filter((route) => route.endsWith(" src 23"));
  assertEquals(cnat, ["10.96.0.1/32 src 23", "fd00:96::1/128 src 23"]);
  const tracked = all.filter((route) => route.endsWith(" src 18")); // recursive resolution
  assertEquals(tracked, ["10.2.0.9/32 src 18", "fd00:9::9/128 src 18"]);
});

probe("a route of ours at a real service's address is hidden behind cnat's", async (lab) => {
  await lab.pod("host", ["192.0.2.1", "2001:db8::1"]);
  const own = "192.0.2.1/32 src 8";
  assert((await routes(lab, API, false)).includes(own));
  await setService(lab.vpp, { vip: "192.0.2.1|80", backends: ["10.1.0.3|80"], isRealIp: 1 });
  const there = (await routes(lab, 0, false)).filter((route) => route.startsWith("192.0.2.1/"));
  assertEquals(there, ["192.0.2.1/32 src 23"]);
  assertEquals((await routes(lab, API, false)).includes(own), false);
});

probe(
  "the SNAT addresses come back; the policy, tables and prefixes only in words",
  async (lab) => {
    const { index } = await lab.pod("host", ["192.0.2.1", "2001:db8::1"]);
    await setKubernetesSnat(lab.vpp, "192.0.2.1", "2001:db8::1", ["10.1.0.0/16"]);
    await inTable(lab.vpp, index, 3);
    const { snat_ip4, snat_ip6 } = await lab.vpp.request("cnat_get_snat_addresses");
    assertEquals([snat_ip4.toHex(), snat_ip6.toHex()], [
      "c0000201",
      "20010db8000000000000000000000001",
    ]);
    const text = await lab.cli("show cnat snat-policy");
    assert(text.includes("10.1.0.0/16 dst") && text.includes("host-v-host"), text);
  },
);

probe("a purge of sessions deletes every translation, too", async (lab) => {
  await setService(lab.vpp, { vip: "10.96.0.1|80", backends: ["10.1.0.3|80"] });
  const { retval } = await lab.vpp.requestRaw("cnat_session_purge");
  assertEquals([retval, await lab.vpp.dump("cnat_translation_dump")], [0, []]);
});
