/** What a translation does to the rest of its address. Record: 0011. */
import { assertEquals, assertMatch } from "@contiv/assert";
import { FibPathType } from "@contiv/vppapi";
import { NONE, prefix } from "../conformance/values.ts";
import { setService } from "./lab/cnat.ts";
import type { Lab } from "./lab/lab.ts";
import { probe } from "./lab/probe.ts";
import { SILENCE } from "./lab/streams.ts";

const HOST = ["192.0.2.1", "2001:db8::1"] as const;
const VIP = `${HOST[0]}|80` as const;
const BACKENDS = ["10.1.0.3|8080"] as const;

interface Net {
  /** Who answers on the service's port. */
  web(): Promise<string>;
  /** Who answers on a port of the address that no translation names. */
  ssh(): Promise<string>;
}

/** A pod, a backend, and a host whose address has a port of its own and one translated. */
async function net(lab: Lab): Promise<Net> {
  const pod = await lab.pod("pod", ["10.1.0.2", "fd00:1::2"]);
  const backend = await lab.pod("backend", ["10.1.0.3", "fd00:1::3"]);
  const host = await lab.pod("host", HOST);
  await backend.serve(8080);
  await host.serve(22);
  const who = async (port: number): Promise<string> =>
    (await pod.streams.once(HOST[0], port, 500)).split(" ")[0] ?? "";
  return { web: () => who(80), ssh: () => who(22) };
}

async function deleteAll(lab: Lab): Promise<void> {
  for (const { translation: { id } } of await lab.vpp.dump("cnat_translation_dump")) {
    await lab.vpp.request("cnat_translation_del", { id });
  }
}

probe("with is_real_ip 1 an address keeps its other ports", async (lab, t) => {
  const { web, ssh } = await net(lab);
  assertEquals(await ssh(), "host");
  await t.step("the service's port and all others work", async () => {
    await setService(lab.vpp, { vip: VIP, backends: BACKENDS, isRealIp: 1 });
    assertEquals([await web(), await ssh()], ["backend", "host"]);
  });
  await t.step("an update to 0, or another port's 0, changes nothing", async () => {
    await setService(lab.vpp, { vip: VIP, backends: BACKENDS, isRealIp: 0 });
    await setService(lab.vpp, { vip: `${HOST[0]}|81`, backends: BACKENDS, isRealIp: 0 });
    assertEquals([await web(), await ssh()], ["backend", "host"]);
  });
  await t.step("the port returns to the host at once when the translation goes", async () => {
    await deleteAll(lab);
    assertEquals([await web(), await ssh()], ["ConnectionRefused", "host"]);
  });
});

probe("with is_real_ip 0 a translation swallows its whole address", async (lab, t) => {
  const { web, ssh } = await net(lab);
  await t.step("the service's port works, every other one falls silent", async () => {
    await setService(lab.vpp, { vip: VIP, backends: BACKENDS, isRealIp: 0 });
    assertEquals([await web(), await ssh()], ["backend", SILENCE]);
  });
  await t.step("an update to 1, or another port's 1, changes nothing", async () => {
    await setService(lab.vpp, { vip: VIP, backends: BACKENDS, isRealIp: 1 });
    await setService(lab.vpp, { vip: `${HOST[0]}|81`, backends: BACKENDS, isRealIp: 1 });
    assertEquals([await web(), await ssh()], ["backend", SILENCE]);
  });
  await t.step(
    "deleted, it stays swallowed: its flows were counted and never discounted",
    async () => {
      await deleteAll(lab);
      assertEquals(await ssh(), SILENCE);
      await new Promise((resolve) => setTimeout(resolve, 3_000)); // sessions live 1 s here
      assertMatch(await lab.cli("show cnat client"), /tr:0 sess:[1-9].* exclusive/);
      assertEquals(await ssh(), SILENCE);
    },
  );
  await t.step("not even a translation with 1, nor a purge, gives it back", async () => {
    await setService(lab.vpp, { vip: VIP, backends: BACKENDS, isRealIp: 1 });
    assertEquals([await web(), await ssh()], ["backend", SILENCE]);
    await lab.vpp.requestRaw("cnat_session_purge");
    assertEquals(await ssh(), SILENCE);
  });
}, "cnat { session-max 8192 session-cleanup-timeout 0.01 session-max-age 1 tcp-max-age 1 }");

probe("is_real_ip 1 suits a cluster address, too, above an unreachable route", async (lab, t) => {
  const pod = await lab.pod("pod", ["10.1.0.2", "fd00:1::2"]);
  const backend = await lab.pod("backend", ["10.1.0.3", "fd00:1::3"]);
  await backend.serve(8080);
  for (const [range, proto] of [["10.96.0.0/12", 0], ["fd00:96::/108", 1]] as const) {
    const path = { type: FibPathType.ICMP_UNREACH, sw_if_index: NONE, proto };
    await lab.vpp.request("ip_route_add_del_v2", {
      is_add: true,
      route: { prefix: prefix(range), paths: [path] },
    });
  }
  const service = async (): Promise<void> => {
    await setService(lab.vpp, { vip: "10.96.0.1|80", backends: BACKENDS, isRealIp: 1 });
    await setService(lab.vpp, {
      vip: "fd00:96::1|80",
      backends: ["fd00:1::3|8080"],
      isRealIp: 1,
    });
  };
  for (
    const [vip, unreachable] of [
      ["10.96.0.1", "Error"], // EHOSTUNREACH
      ["fd00:96::1", "NetworkUnreachable"],
    ] as const
  ) {
    await t.step(
      `${vip}: the port works, others answer unreachable, before and after`,
      async () => {
        await service();
        const ask = async (port: number): Promise<string> => {
          await new Promise((resolve) => setTimeout(resolve, 150)); // VPP's limit for such answers
          return await pod.streams.once(vip, port, 500);
        };
        assertMatch(await ask(80), /^backend /);
        assertEquals(await ask(81), unreachable);
        await deleteAll(lab);
        assertEquals(await ask(80), unreachable);
        await service();
        assertMatch(await ask(80), /^backend /);
      },
    );
  }
});
