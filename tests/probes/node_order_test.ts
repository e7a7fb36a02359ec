/** The nodes on a packet's way from pod to pod through a service. Record: 0021. */
import { assertEquals, assertMatch } from "@contiv/assert";
import { IpProto, UrpfMode } from "@contiv/vppapi";
import { NONE } from "../conformance/values.ts";
import { applyAcls, setAcl } from "./lab/acl.ts";
import { setService } from "./lab/cnat.ts";
import type { Lab } from "./lab/lab.ts";
import type { Pod } from "./lab/pod.ts";
import { probe } from "./lab/probe.ts";

async function net(lab: Lab): Promise<[Pod, Pod]> {
  const a = await lab.pod("a", ["10.1.0.2", "fd00:1::2"]);
  const b = await lab.pod("b", ["10.1.0.3", "fd00:1::3"]);
  for (const host of b.addresses) b.serveUdp(host, 53);
  const protocol = IpProto.UDP;
  const common = { protocol, isRealIp: 1 };
  await setService(lab.vpp, { vip: "10.96.0.1|53", backends: ["10.1.0.3|53"], ...common });
  await setService(lab.vpp, { vip: "fd00:96::1|53", backends: ["fd00:1::3|53"], ...common });
  return [a, b];
}

probe(
  "uRPF, cnat in, acl in, routing, acl out, cnat out: in this order, there and back",
  async (lab) => {
    const [a, b] = await net(lab);
    const list = await setAcl(lab.vpp, [{ action: "reflect" }, { action: "reflect", ip6: true }]);
    for (const { index } of [a, b]) {
      await applyAcls(lab.vpp, index, [list], [list]);
      for (const af of [0, 1]) {
        await lab.vpp.request("urpf_update_v2", {
          is_input: true,
          mode: UrpfMode.STRICT,
          af,
          sw_if_index: index,
          table_id: NONE,
        });
      }
    }
    for (const [version, vip] of [["ip4", "10.96.0.1"], ["ip6", "fd00:96::1"]] as const) {
      const all = await lab.trace(async () => assertMatch(await a.askUdp(vip, 53), /^b /));
      const udp = all.filter((nodes) => nodes.includes(`cnat-input-${version}`));
      const way = (to: string): string[] => [
        "af-packet-input",
        "ethernet-input",
        `${version}-input`,
        `${version}-rx-urpf-strict`,
        `cnat-input-${version}`,
        `acl-plugin-in-${version}-fa`,
        `${version}-lookup`,
        `${version}-rewrite`,
        `acl-plugin-out-${version}-fa`,
        `cnat-output-${version}`,
        `host-v-${to}-output`,
        `host-v-${to}-tx`,
      ];
      assertEquals(udp, [way("b"), way("a")]);
    }
  },
);

probe("rules see the pods' own addresses on both sides of a service", async (lab, t) => {
  const [a, b] = await net(lab);
  const ask = async (): Promise<string> => (await a.askUdp("10.96.0.1", 53)).split(" ")[0] ?? "";
  const list = await setAcl(lab.vpp, [{ action: "permit" }]);
  const allow = (from: string, to: string): Promise<number> =>
    setAcl(lab.vpp, [{ action: "reflect", from: `${from}/32`, to: `${to}/32` }], list);
  await t.step(
    "egress: a rule for the backend lets pass, one for the service does not",
    async () => {
      await applyAcls(lab.vpp, a.index, [list], []);
      await allow(a.ip4, b.ip4);
      assertEquals(await ask(), "b");
      await allow(a.ip4, "10.96.0.1");
      assertEquals(await ask(), "silence");
      await applyAcls(lab.vpp, a.index, [], []);
    },
  );
  await t.step("ingress: a rule for the client lets pass", async () => {
    await applyAcls(lab.vpp, b.index, [], [list]);
    await allow(a.ip4, b.ip4);
    assertEquals(await ask(), "b");
    await allow("10.1.0.9", b.ip4);
    assertEquals(await ask(), "silence");
  });
});
