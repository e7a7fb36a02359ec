import { assert, assertEquals, assertThrows } from "@contiv/assert";
import { canMakeNamespaces, TestNamespace, withLibc } from "./_testing.ts";
import { EPOLLIN } from "./constants/system.ts";
import { Epoll } from "./epoll.ts";
import { LibcError } from "./error.ts";
import { FrameBatch } from "./frame_batch.ts";
import type { Libc } from "./libc.ts";
import { RtNetlink } from "./netlink/rtnetlink.ts";
import { PacketSocket } from "./packet_socket.ts";

/** An EtherType for local experiments (IEEE 802), which no part of the kernel uses. */
const EXPERIMENTAL = 0x88b5;

interface Box {
  readonly left: PacketSocket;
  readonly right: PacketSocket;
  readonly namespace: TestNamespace;
  readonly rtnetlink: RtNetlink;
}

/** Sockets on both ends of a veth pair. */
function packetTest(name: string, vnetHeader: boolean, body: (libc: Libc, box: Box) => void): void {
  Deno.test({
    name,
    ignore: !canMakeNamespaces,
    fn: () =>
      withLibc((libc) => {
        using namespace = new TestNamespace(libc);
        using rtnetlink = RtNetlink.open(libc, namespace.ns);
        rtnetlink.createVeth({ name: "left", peer: { name: "right" } });
        const [left, right] = ["left", "right"].map((each) => {
          const index = rtnetlink.link(each)?.index ?? 0;
          rtnetlink.setLink(index, { up: true });
          const options = { index, vnetHeader, ignoreOutgoing: true, protocol: EXPERIMENTAL };
          return namespace.ns.run(() => PacketSocket.open(libc, options));
        });
        assert(left !== undefined && right !== undefined);
        awaitUp(rtnetlink);
        try {
          body(libc, { left, right, namespace, rtnetlink });
        } finally {
          left.close();
          right.close();
        }
      }),
  });
}

/** Waits, with a limit, for the kernel to let frames through. */
function awaitUp(rtnetlink: RtNetlink): void {
  for (let attempt = 0; attempt < 200; attempt++) {
    const states = ["left", "right"].map((name) => rtnetlink.link(name)?.operationalState);
    if (states.every((state) => state === "up")) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
  throw new Error("the links did not come up within 2 s");
}

/** Waits, with a limit, for a frame. */
function awaitFrame(libc: Libc, socket: PacketSocket): void {
  using epoll = Epoll.open(libc);
  epoll.add(socket.fd, EPOLLIN, 1);
  assertEquals(epoll.wait(2000), 1, "no frame came within 2 s");
}

function frame(length: number, fill: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length).fill(fill);
  bytes.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, EXPERIMENTAL >> 8, EXPERIMENTAL & 0xff]);
  return bytes;
}

packetTest("a frame crosses a veth pair and is not heard by its sender", false, (libc, box) => {
  const sent = frame(100, 7);
  assertEquals(box.left.write(sent), 100);
  const buffer = new Uint8Array(2000);
  awaitFrame(libc, box.right);
  assertEquals(box.right.read(buffer), 100);
  assertEquals(buffer.subarray(0, 100), sent);
  assertEquals(box.right.read(buffer), -1);
  assertEquals(box.left.read(buffer), -1);
});

packetTest("with a virtio-net header, frames carry it both ways", true, (libc, box) => {
  const arena = new Uint8Array(4000);
  arena.set(frame(100, 9), 1010);
  assertEquals(box.left.writeAt(arena, 1000, 110), 110);
  awaitFrame(libc, box.right);
  assertEquals(box.right.readAt(arena, 2000, 2000), 110);
  assertEquals(arena.subarray(2010, 2110), frame(100, 9));
});

packetTest("a batch of 64 frames crosses in order", false, (libc, box) => {
  const arena = new Uint8Array(128 * 2048);
  const outgoing = new FrameBatch(arena, 64);
  const incoming = new FrameBatch(arena, 64);
  for (let i = 0; i < 64; i++) {
    arena.set(frame(60 + i, i), i * 2048);
    outgoing.place(i, i * 2048, 60 + i);
    incoming.place(i, (64 + i) * 2048, 2048);
  }
  for (let round = 0; round < 3; round++) {
    assertEquals(box.left.writeMany(outgoing, 64), 64);
    for (let seen = 0; seen < 64;) {
      awaitFrame(libc, box.right);
      const count = box.right.readMany(incoming);
      for (let i = 0; i < count; i++, seen++) {
        const at = (64 + i) * 2048;
        const found = arena.subarray(at, at + incoming.length(i));
        assertEquals(found, frame(60 + seen, seen));
      }
    }
    assertEquals(box.right.readMany(incoming), 0);
  }
});

packetTest("a frame that the kernel refuses does not stop those after it", false, (libc, box) => {
  const arena = new Uint8Array(8192);
  arena.set(frame(60, 1), 0);
  arena.set(frame(8000, 2), 100);
  const batch = new FrameBatch(arena, 5);
  for (const [i, length] of [60, 8000, 60, 8000, 60].entries()) {
    batch.place(i, length === 60 ? 0 : 100, length);
  }
  assertEquals(box.left.writeMany(batch, 5), 3);
  for (let seen = 0; seen < 3;) {
    awaitFrame(libc, box.right);
    seen += box.right.readMany(batch);
  }
  assertEquals(box.left.write(frame(8000, 2)), -90);
});

packetTest("an interface that goes down is reported once", false, (_libc, box) => {
  box.rtnetlink.setLink(box.left.index, { up: false });
  const buffer = new Uint8Array(2000);
  const error = assertThrows(() => box.left.read(buffer), LibcError);
  assertEquals(error.code, "ENETDOWN");
  assertEquals(box.left.read(buffer), -1);
  assertEquals(box.left.write(frame(60, 1)), -100);
});

packetTest("an interface that is not there cannot be bound to", false, (libc, box) => {
  const options = { index: 999, vnetHeader: false, ignoreOutgoing: true };
  const error = assertThrows(
    () => box.namespace.ns.run(() => PacketSocket.open(libc, options)),
    LibcError,
  );
  assertEquals(error.code, "ENODEV");
});

Deno.test("a batch takes only places within its buffer", () => {
  const batch = new FrameBatch(new Uint8Array(100), 2);
  assertThrows(() => batch.place(0, 50, 51), RangeError);
  assertThrows(() => batch.place(2, 0, 10), RangeError);
  assertThrows(() => new FrameBatch(new Uint8Array(100), 0), RangeError);
});
