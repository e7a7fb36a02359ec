import { assert, assertEquals, assertThrows } from "@contiv/assert";
import { Libc, NetNs, RtNetlink } from "@contiv/libc";
import { IpPrefix, MacAddress } from "@contiv/net";
import type { InNamespace } from "../../items/mod.ts";
import type { Descriptor, DescriptorContext, Item } from "../../reconciler/mod.ts";
import { addressDescriptor } from "./address_descriptor.ts";
import { DeviceArrivals } from "./device_arrivals.ts";
import { linkDescriptor } from "./link_descriptor.ts";
import { LinuxNamespaces } from "./linux_namespaces.ts";
import { NamespaceError } from "./namespace_error.ts";
import { neighbourDescriptor } from "./neighbour_descriptor.ts";
import { routeDescriptor } from "./route_descriptor.ts";
import { sysctlDescriptor } from "./sysctl_descriptor.ts";

const ignore = Deno.uid() !== 0;
const MAC = MacAddress.parse("02:00:00:00:00:01");
const GATEWAY_MAC = MacAddress.parse("02:00:00:00:00:02");
const context: DescriptorContext = {
  meta: () => {
    throw new Error("nothing is required");
  },
  tryMeta: () => undefined,
  signal: new AbortController().signal,
};

/** A namespace with a device, gone afterwards. */
async function withNamespace(
  work: (libc: Libc, namespaces: LinuxNamespaces, path: string) => Promise<void> | void,
): Promise<void> {
  using libc = Libc.open();
  const path = `/run/netns/contiv-agent-test-${Deno.pid}-${crypto.randomUUID().slice(0, 8)}`;
  NetNs.create(libc, path).close();
  try {
    using namespaces = new LinuxNamespaces(libc);
    addDevice(libc, path);
    await work(libc, namespaces, path);
  } finally {
    NetNs.remove(libc, path);
  }
}

function addDevice(libc: Libc, path: string): void {
  using namespace = NetNs.open(libc, path);
  using netlink = RtNetlink.open(libc, namespace);
  netlink.createVeth({ name: "eth0", mac: MAC, peer: { name: "peer0" } });
}

async function roundTrip<V extends InNamespace>(
  descriptor: Descriptor<V, undefined>,
  value: V,
): Promise<() => Promise<void>> {
  const item: Item<V> = { key: `${descriptor.kind}/test`, value, requires: [] };
  const retrieve = () => descriptor.retrieve([item], new Map(), context);
  await descriptor.create(item, context);
  await descriptor.create(item, context);
  const [found] = await retrieve();
  assert(found !== undefined && descriptor.equal(found.value, value), `${item.key} is as wanted`);
  return async () => {
    await descriptor.delete(item, undefined, context);
    await descriptor.delete(item, undefined, context);
    if (descriptor.kind !== "linux-link" && descriptor.kind !== "linux-sysctl") {
      assertEquals(await retrieve(), [], `${item.key} is gone`);
    }
  };
}

Deno.test({
  name: "every kind of item in a namespace is made, read back and removed, twice over",
  ignore,
  fn: () =>
    withNamespace(async (_libc, namespaces, path) => {
      const where = { namespaces, arrivals: new DeviceArrivals() };
      const value = { netns: namespaces.identify(path), device: { name: "eth0", mac: MAC } };
      const prefix = (text: string): IpPrefix => IpPrefix.parse(text);
      const gateways = ["10.1.1.1", "fd10:1::1"].map((text) =>
        prefix(`${text}/${text.includes(":") ? 128 : 32}`)
      );
      const values = { accept_ra: "0", disable_ipv6: "0" };
      const undo = [
        await roundTrip(sysctlDescriptor(where), { ...value, values }),
        await roundTrip(linkDescriptor(where), { ...value, mtu: 1400 }),
        await roundTrip(linkDescriptor(where), { ...value, leaves: true }),
        await roundTrip(linkDescriptor(where), { ...value, leaves: false }),
        await roundTrip(addressDescriptor(where), { ...value, prefix: prefix("10.1.1.2/32") }),
        await roundTrip(addressDescriptor(where), { ...value, prefix: prefix("fd10:1::2/128") }),
      ];
      for (const gateway of gateways) {
        const everything = prefix(gateway.family === 4 ? "0.0.0.0/0" : "::/0");
        const { address } = gateway;
        const neighbour = { ...value, address, mac: GATEWAY_MAC };
        const route = { ...value, destination: everything, gateway: address };
        const second = { ...route, metric: 2_000 };
        undo.push(
          await roundTrip(neighbourDescriptor(where), neighbour),
          await roundTrip(routeDescriptor(where), { ...value, destination: gateway }),
          await roundTrip(routeDescriptor(where), route),
          await roundTrip(routeDescriptor(where), second),
        );
      }
      for (const each of undo.reverse()) await each();
    }),
});

Deno.test({
  name: "a device with another MAC address is somebody else's and is not touched",
  ignore,
  fn: () =>
    withNamespace(async (_libc, namespaces, path) => {
      const descriptor = addressDescriptor({ namespaces, arrivals: new DeviceArrivals() });
      const netns = namespaces.identify(path);
      const prefix = IpPrefix.parse("10.1.1.2/32");
      const ours = { netns, device: { name: "eth0", mac: MAC }, prefix };
      await roundTrip(descriptor, ours);
      const theirs = { ...ours, device: { name: "eth0", mac: GATEWAY_MAC } };
      await descriptor.delete({ key: "a", value: theirs, requires: [] }, undefined, context);
      const found = await descriptor.retrieve(
        [{ key: "a", value: ours, requires: [] }],
        new Map(),
        context,
      );
      assertEquals(found.length, 1);
    }),
});

Deno.test({
  name: "a namespace is let go when its path goes, and another one at its path is refused",
  ignore,
  fn: () =>
    withNamespace((libc, namespaces, path) => {
      const ref = namespaces.identify(path);
      assertEquals(namespaces.open(ref).link("eth0")?.mac, MAC);
      NetNs.remove(libc, path);
      const code = (fn: () => unknown) => assertThrows(fn, NamespaceError).code;
      assertEquals(code(() => namespaces.open(ref)), "GONE");
      assertEquals(code(() => namespaces.identify(path)), "GONE");
      NetNs.create(libc, path).close();
      const other = { ...ref, inode: String(BigInt(ref.inode) + 1n) };
      assertEquals(code(() => namespaces.open(other)), "GONE");
      assertEquals(code(() => namespaces.identify("/proc/self/stat")), "INVALID");
      namespaces.sweep();
    }),
});

Deno.test({
  name: "no more namespaces are kept open than the cache holds, and long paths get a short name",
  ignore,
  fn: () =>
    withNamespace((libc, _namespaces, path) => {
      using namespaces = new LinuxNamespaces(libc, { capacity: 1 });
      const own = namespaces.identify("/proc/thread-self/ns/net");
      const ref = namespaces.identify(path);
      for (const each of [own, ref, own, ref]) namespaces.open(each);
      const folder = Deno.makeTempDirSync();
      try {
        const long = `${folder}/${"n".repeat(70)}`;
        Deno.symlinkSync(path, long);
        const { shortPath } = namespaces.open(namespaces.identify(long));
        assert(shortPath.length <= 63, shortPath);
        assertEquals(namespaces.identify(shortPath).inode, ref.inode);
      } finally {
        Deno.removeSync(folder, { recursive: true });
      }
    }),
});
