import { assert, assertEquals, assertThrows } from "@contiv/assert";
import { IpAddress, MacAddress } from "@contiv/net";
import { canMakeNamespaces, TestNamespace, withLibc } from "./_testing.ts";
import { EPOLLIN } from "./constants/system.ts";
import { Epoll } from "./epoll.ts";
import { LibcError } from "./error.ts";
import { InetSocket } from "./inet_socket.ts";
import type { Libc } from "./libc.ts";
import { RtNetlink } from "./netlink/rtnetlink.ts";
import { Tap, type TapOptions, VNET_HEADER_LENGTH } from "./tap.ts";

interface Box {
  readonly namespace: TestNamespace;
  readonly rtnetlink: RtNetlink;
  open(options: Partial<TapOptions>): Tap;
}

function tapTest(name: string, body: (libc: Libc, box: Box) => void | Promise<void>): void {
  Deno.test({
    name,
    ignore: !canMakeNamespaces,
    fn: () =>
      withLibc(async (libc) => {
        using namespace = new TestNamespace(libc);
        using rtnetlink = RtNetlink.open(libc, namespace.ns);
        const open = (options: Partial<TapOptions>): Tap =>
          namespace.ns.run(() => Tap.open(libc, { name: "tap0", vnetHeader: true, ...options }));
        await body(libc, { namespace, rtnetlink, open });
      }),
  });
}

/** Waits, with a limit, for a frame of an EtherType at an offset, and returns it. */
function receiveFrame(libc: Libc, tap: Tap, etherType: number): Uint8Array {
  using epoll = Epoll.open(libc);
  epoll.add(tap.fd, EPOLLIN, 1);
  const arena = new Uint8Array(140_000);
  for (let attempt = 0; attempt < 100; attempt++) {
    const length = tap.readAt(arena, 70_000, 70_000);
    if (length < 0) assert(epoll.wait(2000) === 1, "no frame came within 2 s");
    const frame = arena.subarray(70_000, 70_000 + Math.max(0, length));
    const at = VNET_HEADER_LENGTH + 12;
    if (
      length > 0 && (frame[at] ?? 0) << 8 === (etherType & 0xff00) &&
      frame[at + 1] === (etherType & 0xff)
    ) return frame.slice();
  }
  throw new Error("only other frames came");
}

tapTest("a TAP is made as asked for and goes when closed", async (_libc, box) => {
  const tap = box.open({ name: "pod%d", offload: true });
  assertEquals(tap.name, "pod0");
  const link = box.rtnetlink.link("pod0");
  assertEquals([link?.index, link?.kind, link?.lowerUp], [tap.index, "tun", false]);
  const [shown] = box.namespace.ip("link", "show", "pod0");
  const info = JSON.stringify(shown?.["linkinfo"]);
  assert(info.includes('"type":"tap"') && info.includes('"vnet_hdr":true'), info);
  await tap.closeAsync();
  await tap.closeAsync();
  tap.close();
  assertEquals(box.rtnetlink.link("pod0"), undefined);
});

tapTest("a persistent TAP outlives its descriptor and can be attached to again", (_libc, box) => {
  const first = box.open({ persist: true, attach: false });
  first.close();
  assertEquals(box.rtnetlink.link("tap0")?.index, first.index);
  {
    using second = box.open({ attach: true, offload: true });
    assertEquals(second.index, first.index);
    second.setPersist(false);
  }
  assertEquals(box.rtnetlink.link("tap0"), undefined);
});

tapTest("a TAP's descriptor keeps working when its interface moves", (libc, box) => {
  using other = new TestNamespace(libc);
  using there = RtNetlink.open(libc, other.ns);
  using tap = box.open({});
  box.rtnetlink.setLink(tap.index, { ns: other.ns, name: "eth0" });
  const { index } = there.link("eth0") ?? { index: 0 };
  there.setLink(index, { up: true });
  const address = IpAddress.parse("10.1.2.3");
  there.addAddress({ index, address, prefixLength: 24 });
  const mac = MacAddress.parse("02:00:00:00:00:01");
  there.setNeighbour({ index, address: IpAddress.parse("10.1.2.1"), mac, permanent: true });
  using socket = other.ns.run(() => InetSocket.open(libc, { family: 4, kind: "udp" }));
  socket.sendTo(new Uint8Array(3), IpAddress.parse("10.1.2.1"), 7);
  const frame = receiveFrame(libc, tap, 0x0800);
  assertEquals(frame.subarray(VNET_HEADER_LENGTH, VNET_HEADER_LENGTH + 6), mac.bytes);
  assertEquals(frame.length, VNET_HEADER_LENGTH + 14 + 20 + 8 + 3);
});

tapTest("frames that are written reach the kernel", (_libc, box) => {
  using tap = box.open({});
  box.rtnetlink.setLink(tap.index, { up: true });
  box.rtnetlink.addAddress({
    index: tap.index,
    address: IpAddress.parse("10.1.2.3"),
    prefixLength: 24,
  });
  const mac = MacAddress.parse("02:00:00:00:00:01");
  const own = box.rtnetlink.link(tap.index)?.mac;
  assert(own !== undefined);
  // An ARP request for 10.1.2.3 by 10.1.2.9: the kernel learns the asker.
  const request = Uint8Array.of(
    ...new Uint8Array(VNET_HEADER_LENGTH),
    ...own.bytes,
    ...mac.bytes,
    ...[8, 6, 0, 1, 8, 0, 6, 4, 0, 1],
    ...mac.bytes,
    ...[10, 1, 2, 9, 0, 0, 0, 0, 0, 0, 10, 1, 2, 3],
  );
  const arena = new Uint8Array(1000);
  arena.set(request, 123);
  assertEquals(tap.writeAt(arena, 123, request.length), request.length);
  assertEquals(tap.write(arena.subarray(123), request.length), request.length);
  const learnt = box.rtnetlink.neighbours({ index: tap.index, family: 4 });
  assertEquals(learnt.map((n) => [`${n.address}`, `${n.mac}`]), [["10.1.2.9", `${mac}`]]);
});

tapTest("no frame is -1, a refused frame its error number, a lost interface an error", (_, box) => {
  using tap = box.open({});
  const arena = new Uint8Array(2000);
  assertEquals(tap.read(arena), -1);
  assertEquals(tap.readAt(arena, 10, 1900), -1);
  assertEquals(tap.writeAt(arena, 0, 3), -22);
  assertEquals(tap.writeAt(arena, 0, 100), -5);
  assertThrows(() => tap.readAt(arena, 1500, 501), RangeError);
  assertThrows(() => tap.writeAt(arena, -1, 10), RangeError);
  box.rtnetlink.deleteLink(tap.index);
  const error = assertThrows(() => tap.read(arena), LibcError);
  assertEquals([error.code, error.subject], ["EBADFD", "tap0"]);
});

tapTest("the carrier follows the owner's word", (_libc, box) => {
  using tap = box.open({ carrier: false });
  box.rtnetlink.setLink(tap.index, { up: true });
  assertEquals(box.rtnetlink.link(tap.index)?.lowerUp, false);
  tap.setCarrier(true);
  assertEquals(box.rtnetlink.link(tap.index)?.lowerUp, true);
});

tapTest("a TAP that cannot be had is refused by name", async (_libc, box) => {
  const cases = [
    { options: { name: "absent", attach: true }, code: "ENODEV" },
    { options: { name: "tap0", attach: false }, code: "EBUSY" },
    { options: { name: "tap0" }, code: "EBUSY" },
    { options: { name: "lo" }, code: "EINVAL" },
    { options: { name: "sixteen-octets-x" }, code: "EINVAL" },
    { options: { name: "" }, code: "EINVAL" },
  ];
  using _holder = box.open({});
  for (const { options, code } of cases) {
    const error = assertThrows(() => box.open(options), LibcError);
    assertEquals([error.code, error.subject], [code, options.name]);
  }
  await Promise.resolve();
});

tapTest("a hundred TAPs that close keep no other call waiting", async (libc, box) => {
  const taps = Array.from({ length: 100 }, (_, i) => box.open({ name: `many${i}` }));
  using epoll = Epoll.open(libc);
  let closed = 0;
  const closing = taps.map((tap) => tap.closeAsync().then(() => void closed++));
  await epoll.waitAsync(0);
  const before = closed;
  await Promise.all(closing);
  assert(before < 50, `a wait of no time ended after ${before} of ${taps.length} were closed`);
});
