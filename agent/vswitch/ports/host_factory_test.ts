import { assert, assertEquals, assertRejects, assertThrows } from "@contiv/assert";
import { Libc, NetNs, RtNetlink } from "@contiv/libc";
import { Logger } from "@contiv/log";
import { IpAddress, IpPrefix, MacAddress } from "@contiv/net";
import { Retval } from "@contiv/vppapi";
import { HostFactory } from "./host_factory.ts";
import { Plumber } from "./plumber.ts";
import { PortError } from "./port_error.ts";
import { PortGoneError } from "./port.ts";
import type { TapSpec } from "./port_factory.ts";

const isRoot = Deno.uid() === 0;

const SPEC: TapSpec = {
  hostIfName: "eth0",
  hostNamespace: undefined,
  hostBridge: undefined,
  hostMac: MacAddress.parse("02:00:00:00:00:02"),
  hostMtu: 1400,
  hostPrefixes: [IpPrefix.parse("10.1.1.2/24"), IpPrefix.parse("fd00::2/64")],
  hostGateways: [IpAddress.parse("10.1.1.1"), IpAddress.parse("fd00::1")],
  persist: false,
  attach: false,
  checksumOffload: false,
  gso: false,
};

interface Bench {
  readonly libc: Libc;
  readonly factory: HostFactory;
  readonly path: string;
  links(): string[];
}

function inNamespace(name: string, run: (bench: Bench) => Promise<void>): void {
  Deno.test({ name, ignore: !isRoot }, async () => {
    using libc = Libc.open();
    const folder = await Deno.makeTempDir();
    const path = `${folder}/netns`;
    NetNs.create(libc, path).close();
    const plumber = new Plumber();
    const factory = new HostFactory(libc, plumber, Logger.silent());
    const links = (): string[] => {
      using namespace = NetNs.open(libc, path);
      using netlink = RtNetlink.open(libc, namespace);
      return netlink.links().map((link) => link.name);
    };
    try {
      await run({ libc, factory, path, links });
    } finally {
      await factory.settled();
      plumber.close();
      NetNs.remove(libc, path);
      await Deno.remove(folder, { recursive: true });
    }
  });
}

inNamespace("a TAP is made whole inside its namespace", async ({ libc, factory, path, links }) => {
  const open = await factory.openTap({ ...SPEC, hostNamespace: path });
  assertEquals(links(), ["lo", "eth0"]);
  {
    using namespace = NetNs.open(libc, path);
    using netlink = RtNetlink.open(libc, namespace);
    const link = netlink.link("eth0");
    assertEquals([link?.mtu, link?.up, link?.mac?.toString()], [1400, true, "02:00:00:00:00:02"]);
    const addresses = netlink.addresses().map(({ address }) => address.toString());
    assert(addresses.includes("10.1.1.2") && addresses.includes("fd00::2"));
    const gateways = netlink.routes().flatMap(({ gateway }) => gateway?.toString() ?? []);
    assertEquals(gateways.sort(), ["10.1.1.1", "fd00::1"]);
  }
  factory.removeTap(open);
  await factory.settled();
  assertEquals(links(), ["lo"]);
});

inNamespace("a TAP that fails half-way leaves nothing", async ({ factory, path, links }) => {
  // The gateway cannot be reached from this address.
  const broken = { ...SPEC, hostNamespace: path, persist: true };
  const spec = { ...broken, hostGateways: [IpAddress.parse("192.168.7.1")] };
  const error = await assertRejects(() => factory.openTap(spec), PortError);
  assertEquals(error.retval, Retval.NETLINK_ERROR);
  assertEquals(links(), ["lo"]);
});

inNamespace("a namespace that is not there is told apart", async ({ factory, path }) => {
  const spec = { ...SPEC, hostNamespace: `${path}-not` };
  const error = await assertRejects(() => factory.openTap(spec), PortError);
  assertEquals(error.retval, Retval.SYSCALL_ERROR_2);
});

inNamespace("a persistent TAP outlives its port and is attached to again", async (bench) => {
  const { factory, links, path } = bench;
  const spec = { ...SPEC, hostNamespace: path, persist: true };
  const first = await factory.openTap(spec);
  await first.port.close();
  assertEquals(links(), ["lo", "eth0"]);
  const second = await factory.openTap({ ...spec, attach: true });
  factory.removeTap(second);
  // The name is free again as soon as it is asked for.
  const third = await factory.openTap({ ...spec, persist: false });
  assertEquals(links(), ["lo", "eth0"]);
  factory.removeTap(third);
});

inNamespace("a TAP whose interface was deleted says so", async ({ libc, factory, path }) => {
  const open = await factory.openTap({ ...SPEC, hostNamespace: path });
  {
    using namespace = NetNs.open(libc, path);
    using netlink = RtNetlink.open(libc, namespace);
    netlink.deleteLink(netlink.link("eth0")?.index ?? 0);
  }
  assertThrows(() => open.port.receive(64, () => {}), PortGoneError);
  assert(!open.port.send(new Uint8Array(64), 0, 64));
  factory.removeTap(open);
});

inNamespace("an interface of the host that is not there is refused", async ({ factory }) => {
  const error = await assertRejects(
    () => factory.openPacket({ hostIfName: `nope${Deno.pid}` }),
    PortError,
  );
  assertEquals(error.retval, Retval.INVALID_INTERFACE);
});
