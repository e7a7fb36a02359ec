/** Whose source the Kubernetes policy of cnat translates. Record: 0016. */
import { assertEquals } from "@contiv/assert";
import { CnatSnatPolicyFlags, CnatSnatPolicyTable } from "@contiv/vppapi";
import { inTable, setKubernetesSnat, setService } from "./lab/cnat.ts";
import type { Lab } from "./lab/lab.ts";
import type { Pod } from "./lab/pod.ts";
import { probe } from "./lab/probe.ts";

const SNAT = ["192.0.2.1", "2001:db8::1"] as const;
const CLUSTER = ["10.1.0.0/16", "10.2.0.0/16", "fd00::/16"];

interface Net {
  /** Pods of this node; `a` and `b` agree in the low 32 bits of their IPv6 addresses. */
  readonly a: Pod;
  readonly b: Pod;
  readonly c: Pod;
  /** The host's end of `vpp1`. */
  readonly host: Pod;
  /** A pod of another node, behind the overlay's interface. */
  readonly remote: Pod;
  /** Somebody outside the cluster, behind the uplink. */
  readonly outside: Pod;
}

async function net(lab: Lab, flags?: number): Promise<Net> {
  const { vpp } = lab;
  const all = {
    a: await lab.pod("a", ["10.1.0.2", "fd00:1::1:2"]),
    b: await lab.pod("b", ["10.1.0.3", "fd00:2::1:2"]),
    c: await lab.pod("c", ["10.1.0.4", "fd00:2::1:3"]),
    host: await lab.pod("host", ["172.30.0.1", "fd00:5::1"]),
    remote: await lab.pod("remote", ["10.2.0.9", "fd00:1:2::9"]),
    outside: await lab.pod("outside", ["198.51.100.7", "2001:db8:1::7"]),
  };
  for (const pod of Object.values(all)) await pod.serve(80);
  await setKubernetesSnat(vpp, ...SNAT, CLUSTER, flags);
  const { POD, INCLUDE_V4, INCLUDE_V6 } = CnatSnatPolicyTable;
  for (const { index } of [all.a, all.b, all.c, all.remote]) await inTable(vpp, index, POD);
  for (const { index } of [all.a, all.b, all.c]) {
    await inTable(vpp, index, INCLUDE_V4);
    await inTable(vpp, index, INCLUDE_V6);
  }
  return all;
}

/** Which source address the server sees. */
async function seen(from: Pod, host: string, port = 80): Promise<string> {
  const [, source = "silence"] = (await from.streams.once(host, port, 700)).split(" ");
  return source;
}

probe("IPv6 pods whose addresses agree in the low 32 bits are taken for one", async (lab, t) => {
  const { a, b, c } = await net(lab);
  await t.step("agreeing: the source is translated, though nothing calls for it", async () => {
    assertEquals(await seen(a, b.ip6), SNAT[1]);
  });
  await t.step("differing: it is kept", async () => {
    assertEquals(await seen(a, c.ip6), a.ip6);
    assertEquals(await seen(b, c.ip6), b.ip6);
  });
});

probe(
  "pods' sources: kept inside the cluster, translated outside, and for themselves",
  async (lab) => {
    const { a, b, remote, outside } = await net(lab);
    assertEquals(await seen(a, b.ip4), a.ip4);
    assertEquals(await seen(a, remote.ip4), a.ip4);
    assertEquals(await seen(remote, a.ip4), remote.ip4);
    assertEquals(await seen(outside, a.ip4), outside.ip4);
    assertEquals(await seen(a, outside.ip4), SNAT[0]);
    assertEquals(await seen(a, outside.ip6), SNAT[1]);
    await setService(lab.vpp, { vip: "10.96.0.1|80", backends: ["10.1.0.2|80"], isRealIp: 1 });
    await setService(lab.vpp, { vip: "fd00:96::1|80", backends: ["fd00:1::1:2|80"], isRealIp: 1 });
    assertEquals(await seen(a, "10.96.0.1"), SNAT[0]);
    assertEquals(await seen(a, "fd00:96::1"), SNAT[1]);
    assertEquals(await seen(b, "10.96.0.1"), b.ip4);
  },
);

probe("the host's sources depend on the tables that vpp1 is in", async (lab, t) => {
  const { a, host, remote, outside } = await net(lab);
  await setService(lab.vpp, { vip: "10.96.0.1|80", backends: ["10.2.0.9|80"], isRealIp: 1 });
  const matrix = async (): Promise<Record<string, string>> => ({
    "host to pod": await seen(host, a.ip4),
    "host to remote pod": await seen(host, remote.ip4),
    "host to service": await seen(host, "10.96.0.1"),
    "host to outside": await seen(host, outside.ip4),
    "outside to host": await seen(outside, host.ip4),
    "pod to host": await seen(a, host.ip4),
  });
  await t.step("in none, with the overlay in the pod table", async () => {
    assertEquals(await matrix(), {
      "host to pod": host.ip4,
      "host to remote pod": host.ip4,
      "host to service": host.ip4,
      "host to outside": SNAT[0],
      "outside to host": SNAT[0],
      "pod to host": SNAT[0],
    });
  });
  const { POD, HOST } = CnatSnatPolicyTable;
  await t.step("in the pod and host tables all sources are kept", async () => {
    await inTable(lab.vpp, host.index, POD);
    await inTable(lab.vpp, host.index, HOST);
    assertEquals(await matrix(), {
      "host to pod": host.ip4,
      "host to remote pod": host.ip4,
      "host to service": host.ip4,
      "host to outside": host.ip4,
      "outside to host": outside.ip4,
      "pod to host": a.ip4,
    });
  });
  await t.step(
    "with the overlay's interface outside the pod table it keeps them, too",
    async () => {
      const fields = { sw_if_index: remote.index, is_add: 0, table: POD };
      await lab.vpp.request("cnat_snat_policy_add_del_if", fields);
      assertEquals(await seen(host, remote.ip4), host.ip4);
      assertEquals(await seen(a, remote.ip4), a.ip4);
      assertEquals(await seen(remote, a.ip4), remote.ip4);
      assertEquals(await seen(outside, remote.ip4), SNAT[0]);
    },
  );
});

probe(
  "through a NodePort: kept to a pod's interface, translated between two others",
  async (lab, t) => {
    const { a, host, remote, outside } = await net(lab);
    const port = async (number: number, backend: Pod): Promise<string> => {
      const backends = [`${backend.ip4}|80`] as const;
      await setService(lab.vpp, { vip: `203.0.113.5|${number}`, backends, isRealIp: 1 });
      return await seen(outside, "203.0.113.5", number);
    };
    await t.step("to a local pod and to a remote one behind the pod table", async () => {
      assertEquals(await port(30_080, a), outside.ip4);
      assertEquals(await port(30_081, remote), outside.ip4);
    });
    await t.step("to the host", async () => assertEquals(await port(30_082, host), SNAT[0]));
    await t.step("to a remote pod behind an interface of no table", async () => {
      const fields = { sw_if_index: remote.index, is_add: 0, table: CnatSnatPolicyTable.POD };
      await lab.vpp.request("cnat_snat_policy_add_del_if", fields);
      assertEquals(await port(30_083, remote), SNAT[0]);
    });
  },
);

const { NO_CLIENT, USE_AS_DEFAULT } = CnatSnatPolicyFlags;
for (
  const [flags, wanted] of [
    [USE_AS_DEFAULT, "silence"],
    [USE_AS_DEFAULT | NO_CLIENT, "198.51.100.7"],
  ] as const
) {
  const what = wanted === "silence" ? "swallows the address" : "leaves the address to its owner";
  probe(`a SNAT address that the host has: flags ${flags} ${what}`, async (lab) => {
    const { a, outside } = await net(lab, flags);
    const owner = await lab.pod("owner", SNAT);
    await owner.serve(80);
    await inTable(lab.vpp, owner.index, CnatSnatPolicyTable.POD);
    assertEquals(await seen(outside, SNAT[0]), wanted);
    // Answers to translated packets find their way either way.
    assertEquals(await seen(a, outside.ip4), SNAT[0]);
  });
}
