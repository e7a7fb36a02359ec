import { assert, assertEquals, assertRejects, assertThrows } from "@contiv/assert";
import { isDeepStrictEqual } from "node:util";
import { IpAddress, IpPrefix, MacAddress } from "@contiv/net";
import { canMakeNamespaces, TestNamespace, withLibc } from "../_testing.ts";
import type { Libc } from "../libc.ts";
import { NetlinkError } from "./error.ts";
import type { Link } from "./link.ts";
import { RtNetlink } from "./rtnetlink.ts";

const ip = IpAddress.parse;
const prefix = IpPrefix.parse;

function kernelTest(name: string, body: (libc: Libc, box: Box) => void | Promise<void>): void {
  Deno.test({
    name: `${name} (real kernel)`,
    ignore: !canMakeNamespaces,
    fn: () =>
      withLibc(async (libc) => {
        using namespace = new TestNamespace(libc);
        using rtnetlink = RtNetlink.open(libc, namespace.ns);
        await body(libc, { namespace, rtnetlink });
      }),
  });
}

interface Box {
  readonly namespace: TestNamespace;
  readonly rtnetlink: RtNetlink;
}

function linkOf(rtnetlink: RtNetlink, name: string): Link {
  const link = rtnetlink.link(name);
  assert(link !== undefined, `link ${name} is missing`);
  return link;
}

/** A veth pair `left` and `right`, both up, `right` with addresses of both families. */
function wire(rtnetlink: RtNetlink): Link {
  rtnetlink.createVeth({ name: "left", peer: { name: "right" } });
  const right = linkOf(rtnetlink, "right");
  rtnetlink.setLink(linkOf(rtnetlink, "left").index, { up: true });
  rtnetlink.setLink(right.index, { up: true });
  const { index } = right;
  rtnetlink.addAddress({ index, address: ip("10.1.2.3"), prefixLength: 24 });
  rtnetlink.addAddress({ index, address: ip("fd00::3"), prefixLength: 64, nodad: true });
  return right;
}

kernelTest("links are as ip(8) sees them", async (_libc, { namespace, rtnetlink }) => {
  const mac = MacAddress.parse("02:00:00:00:00:07");
  rtnetlink.createVeth({ name: "left", mtu: 1450, peer: { name: "right", mtu: 1440, mac } });
  rtnetlink.createBridge("br0");
  const bridge = linkOf(rtnetlink, "br0").index;
  rtnetlink.setLink(linkOf(rtnetlink, "left").index, {
    up: true,
    alias: "pod default/web",
    master: bridge,
    txQueueLength: 77,
    gsoMaxSize: 32_768,
    gsoMaxSegments: 20,
    groMaxSize: 40_000,
  });
  rtnetlink.setLink(linkOf(rtnetlink, "right").index, { name: "eth0", up: true });

  await assertSettlesEqual(() => {
    const links = rtnetlink.links();
    const ours = links.map((link) => ({
      ifindex: link.index,
      ifname: link.name,
      mtu: link.mtu,
      address: link.mac?.toString(),
      kind: link.kind,
      up: link.up,
      operstate: link.operationalState.toUpperCase(),
      master: links.find(({ index }) => index === link.master)?.name,
      peer: link.kind === "veth" && links.find(({ index }) => index === link.linkIndex)?.name,
      ifalias: link.alias,
      gso: [link.gsoMaxSize, link.gsoMaxSegments, link.groMaxSize],
      txqlen: link.txQueueLength,
    }));
    const theirs = namespace.ip("link").map((link) => {
      const info = link["linkinfo"];
      const kind = isRecord(info) ? info["info_kind"] : undefined;
      return {
        ifindex: link["ifindex"],
        ifname: link["ifname"],
        mtu: link["mtu"],
        address: link["address"],
        kind,
        up: Array.isArray(link["flags"]) && link["flags"].includes("UP"),
        operstate: link["operstate"],
        master: link["master"],
        peer: kind === "veth" && link["link"],
        ifalias: link["ifalias"],
        gso: [link["gso_max_size"], link["gso_max_segs"], link["gro_max_size"]],
        txqlen: link["txqlen"],
      };
    });
    return [ours, theirs];
  });
  assertEquals(linkOf(rtnetlink, "eth0").mac, mac);
});

kernelTest("addresses are as ip(8) sees them", async (_libc, { namespace, rtnetlink }) => {
  const right = wire(rtnetlink);
  await assertSettlesEqual(() => {
    const ours = rtnetlink.addresses({ index: right.index }).map((address) => ({
      local: address.address.toString(),
      prefixlen: address.prefixLength,
      scope: address.scope,
      nodad: address.nodad,
      tentative: address.tentative,
    }));
    const [link] = namespace.ip("address", "show", "dev", "right");
    const infos: unknown = link?.["addr_info"];
    assert(Array.isArray(infos));
    const theirs = infos.map((info) => ({
      local: info["local"],
      prefixlen: info["prefixlen"],
      scope: info["scope"],
      nodad: info["nodad"] === true,
      tentative: info["tentative"] === true,
    }));
    return [ours, theirs];
  });
  assertEquals(rtnetlink.addresses({ family: 4 }).map((a) => `${a.address}`), ["10.1.2.3"]);
  rtnetlink.deleteAddress({ index: right.index, address: ip("10.1.2.3"), prefixLength: 24 });
  assertEquals(rtnetlink.addresses({ family: 4 }), []);
});

kernelTest("routes are as ip(8) sees them", async (_libc, { namespace, rtnetlink }) => {
  const { index } = wire(rtnetlink);
  rtnetlink.addRoute({ family: 4, gateway: ip("10.1.2.1"), mtu: 1300, metric: 5 });
  rtnetlink.addRoute({ family: 6, gateway: ip("fd00::1"), index });
  rtnetlink.addRoute({ family: 4, destination: prefix("10.7.0.0/16"), index, scope: "link" });
  rtnetlink.addRoute({
    family: 4,
    destination: prefix("10.8.0.1/32"),
    gateway: ip("169.254.1.1"),
    index,
    onlink: true,
    source: ip("10.1.2.3"),
  });
  rtnetlink.addRoute({
    family: 4,
    destination: prefix("10.9.0.0/16"),
    gateway: ip("fd00::1"),
    index,
  });
  rtnetlink.addRoute({
    family: 6,
    destination: prefix("fd01::/48"),
    type: "blackhole",
    table: 1234,
  });
  for (const family of [4, 6] as const) {
    await assertSettlesEqual(() => {
      const ours = rtnetlink.routes({ family }).map((route) => ({
        dst: route.destination.length === 0
          ? "default"
          : route.destination.length === route.destination.bits
          ? `${route.destination.address}`
          : `${route.destination}`,
        gateway: route.gateway?.toString(),
        dev: route.index === undefined ? undefined : rtnetlink.link(route.index)?.name,
        type: route.type,
        scope: family === 4 ? route.scope : "global",
        prefsrc: route.source?.toString(),
        metric: route.metric ?? 0,
        onlink: route.onlink,
        mtu: route.mtu,
      }));
      const listed = namespace.ip(`-${family}`, "route", "show", "table", "all");
      const theirs = listed.map((route) => {
        const { via, metrics, flags } = route as Record<string, unknown> & {
          via?: { host: string };
          metrics?: { mtu?: number }[];
          flags: string[];
        };
        const dev = route["dev"];
        return {
          dst: route["dst"],
          gateway: route["gateway"] ?? via?.host,
          // ip(8) names the loopback where the kernel names no link.
          dev: route["type"] === "blackhole" && family === 4 ? undefined : dev,
          type: route["type"],
          scope: family === 4 ? route["scope"] ?? "global" : "global",
          prefsrc: route["prefsrc"],
          metric: route["metric"] ?? 0,
          onlink: flags.includes("onlink"),
          mtu: metrics?.[0]?.mtu,
        };
      });
      return [sorted(ours), sorted(theirs)];
    });
  }
  assertEquals(rtnetlink.routes({ table: 1234 }).map((r) => `${r.destination}`), ["fd01::/48"]);
  assertEquals(rtnetlink.routes({ table: 4321 }), []);
  assertEquals(rtnetlink.routes({ index, table: 254, family: 4 }).length, 5);
});

kernelTest("a route is created once, replaced and deleted", (_libc, { rtnetlink }) => {
  const { index } = wire(rtnetlink);
  const route = { family: 4, destination: prefix("10.7.0.0/16"), index } as const;
  rtnetlink.addRoute(route);
  const again = assertThrows(() => rtnetlink.addRoute(route), NetlinkError);
  assertEquals(again.code, "EEXIST");
  rtnetlink.addRoute({ ...route, gateway: ip("10.1.2.9") }, "replace");
  const find = (): string[] =>
    rtnetlink.routes({ family: 4, table: 254 })
      .filter((r) => r.destination.equals(route.destination)).map((r) => `${r.gateway}`);
  assertEquals(find(), ["10.1.2.9"]);
  rtnetlink.deleteRoute(route);
  assertEquals(find(), []);
  const gone = assertThrows(() => rtnetlink.deleteRoute(route), NetlinkError);
  assertEquals(gone.code, "ESRCH");
});

kernelTest("neighbours are as ip(8) sees them", (_libc, { namespace, rtnetlink }) => {
  const { index } = wire(rtnetlink);
  const mac = MacAddress.parse("02:00:00:00:00:01");
  for (const address of [ip("10.1.2.1"), ip("fd00::1")]) {
    rtnetlink.setNeighbour({
      index,
      address,
      mac: MacAddress.parse("02:00:00:00:00:09"),
      permanent: false,
    });
    rtnetlink.setNeighbour({ index, address, mac, permanent: true });
  }
  const ours = rtnetlink.neighbours({ index }).filter((n) => !n.noArp).map((n) => ({
    dst: n.address.toString(),
    lladdr: n.mac?.toString(),
    permanent: n.permanent,
  }));
  const theirs = namespace.ip("neighbour", "show", "dev", "right").map((n) => ({
    dst: n["dst"],
    lladdr: n["lladdr"],
    permanent: Array.isArray(n["state"]) && n["state"].includes("PERMANENT"),
  }));
  assertEquals<unknown>(sorted(ours), sorted(theirs));
  assertEquals(ours.length, 2);
  rtnetlink.deleteNeighbour({ index, address: ip("10.1.2.1") });
  assertEquals(rtnetlink.neighbours({ index, family: 4 }).filter((n) => n.permanent), []);
});

kernelTest("rules are as ip(8) sees them", (_libc, { namespace, rtnetlink }) => {
  rtnetlink.addRule({
    family: 4,
    priority: 100,
    table: 1234,
    source: prefix("10.1.0.0/16"),
    inputLink: "lo",
    mark: 7,
    markMask: 15,
  });
  rtnetlink.addRule({
    family: 6,
    priority: 101,
    destination: prefix("fd00::/48"),
    action: "prohibit",
    invert: true,
  });
  const ours = rtnetlink.rules().map((rule) => ({
    priority: rule.priority,
    src: rule.source?.address.toString() ?? "all",
    srclen: rule.source?.length,
    dst: rule.destination?.address.toString(),
    iif: rule.inputLink,
    not: rule.invert,
    mark: rule.mark,
    action: rule.action === "table" ? undefined : rule.action,
    table: rule.action !== "table" ? undefined : TABLES[rule.table] ?? String(rule.table),
  }));
  const listed = [...namespace.ip("-4", "rule"), ...namespace.ip("-6", "rule")];
  const theirs = listed.map((rule) => ({
    priority: rule["priority"],
    src: rule["src"],
    srclen: rule["srclen"],
    dst: rule["dst"],
    iif: rule["iif"],
    not: "not" in rule,
    mark: rule["fwmark"] === undefined ? undefined : Number(rule["fwmark"]),
    action: rule["action"],
    table: rule["table"],
  }));
  assertEquals<unknown>(ours, theirs);
  rtnetlink.deleteRule({ family: 4, priority: 100 });
  assertEquals(rtnetlink.rules(4).some((rule) => rule.priority === 100), false);
});

kernelTest("a veth's end is made in another namespace, or moved there", async (libc, box) => {
  using other = new TestNamespace(libc);
  using there = RtNetlink.open(libc, other.ns);
  box.rtnetlink.createVeth({ name: "one", peer: { name: "eth0", ns: other.ns, mtu: 1400 } });
  assertEquals(linkOf(there, "eth0").mtu, 1400);
  assertEquals(box.rtnetlink.link("eth0"), undefined);
  assertEquals(linkOf(box.rtnetlink, "one").linkIndex, linkOf(there, "eth0").index);

  box.rtnetlink.createVeth({ name: "two", peer: { name: "temporary" } });
  const moved = linkOf(box.rtnetlink, "temporary").index;
  await box.rtnetlink.setLinkAsync(moved, { ns: other.ns, name: "eth1" });
  assertEquals(box.rtnetlink.link("temporary"), undefined);
  const end = linkOf(there, "eth1");
  await there.deleteLinkAsync(end.index);
  assertEquals(box.rtnetlink.link("two"), undefined);
});

kernelTest("what is not there is undefined, or refused by name", async (_libc, { rtnetlink }) => {
  assertEquals(rtnetlink.link("nothing"), undefined);
  assertEquals(rtnetlink.link("a-name-that-is-too-long-for-a-link"), undefined);
  assertEquals(rtnetlink.link(99), undefined);
  const error = assertThrows(() => rtnetlink.setLink(99, { up: true, mtu: 1400 }), NetlinkError);
  assertEquals(error.message, "Cannot set up true, mtu 1400 of link 99: no such device (ENODEV)");
  const background = await assertRejects(() => rtnetlink.deleteLinkAsync(99), NetlinkError);
  assertEquals(background.code, "ENODEV");
});

kernelTest("a refusal comes with the kernel's own words", (_libc, { rtnetlink }) => {
  const { index } = wire(rtnetlink);
  const error = assertThrows(
    () => rtnetlink.addRoute({ family: 4, gateway: ip("192.0.2.1"), index }),
    NetlinkError,
  );
  assertEquals(error.code, "ENETUNREACH");
  assertEquals(
    error.message,
    `Cannot add IPv4 route to default via 192.0.2.1 on link ${index}: ` +
      "Nexthop has invalid gateway (ENETUNREACH)",
  );
});

kernelTest("a listing of many entries spans datagrams", (_libc, { rtnetlink }) => {
  const { index } = wire(rtnetlink);
  const mac = MacAddress.parse("02:00:00:00:00:01");
  for (let i = 0; i < 2000; i++) {
    rtnetlink.setNeighbour({
      index,
      address: ip("10.64.0.0").add(BigInt(i)),
      mac,
      permanent: true,
    });
  }
  const found = rtnetlink.neighbours({ index, family: 4 }).filter((n) => n.permanent);
  assertEquals(new Set(found.map((n) => `${n.address}`)).size, 2000);
});

const TABLES: Readonly<Record<number, string>> = { 253: "default", 254: "main", 255: "local" };

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/**
 * Compares two views of a state that the kernel still settles on its own, such as a link's carrier
 * or the look for duplicate addresses, between one look and the next.
 */
async function assertSettlesEqual(look: () => [ours: unknown, theirs: unknown]): Promise<void> {
  for (let attempt = 0; attempt < 40; attempt++) {
    const [ours, theirs] = look();
    if (isDeepStrictEqual(ours, theirs)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assertEquals(...look());
}

/** In an order of its own, for lists whose order means nothing. */
function sorted(list: readonly unknown[]): string[] {
  return list.map((entry) => JSON.stringify(entry)).sort();
}
