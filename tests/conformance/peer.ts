import { NetNs, PacketSocket, RtNetlink } from "@contiv/libc";
import type { VppClient } from "@contiv/vppapi";
import { dissect, type Seen } from "./frames.ts";
import type { Target } from "./target.ts";
import { mac, NONE } from "./values.ts";

/** How an interface of the switch is attached to a peer. */
export type Attachment = "tap" | "af_packet";

const LIMIT_MS = 3_000;

let counter = 0;

/** A machine at the other end of one of the switch's interfaces: sends and sees raw frames. */
export class Peer implements AsyncDisposable {
  /** The switch's interface. */
  readonly swIfIndex: number;
  /** The switch's own address on it. */
  readonly switchMac: string;
  /** This peer's address. */
  readonly mac: string;
  readonly #socket: PacketSocket;
  readonly #undo: (() => Promise<void> | void)[];
  readonly #buffer = new Uint8Array(70_000);

  private constructor(
    swIfIndex: number,
    switchMac: string,
    peerMac: string,
    socket: PacketSocket,
    undo: (() => Promise<void> | void)[],
  ) {
    this.swIfIndex = swIfIndex;
    this.switchMac = switchMac;
    this.mac = peerMac;
    this.#socket = socket;
    this.#undo = undo;
  }

  /** Makes the switch's interface, up, and the peer behind it in a namespace of its own. */
  static async attach(target: Target, vpp: VppClient, attachment: Attachment): Promise<Peer> {
    const { libc, namespace } = target;
    const id = counter++ & 0xff;
    const octet = id.toString(16).padStart(2, "0");
    const switchMac = `02:aa:00:00:00:${octet}`;
    const peerMac = `02:bb:00:00:00:${octet}`;
    const folder = Deno.makeTempDirSync({ prefix: "contiv-peer-" });
    const path = `${folder}/netns`;
    const undo: (() => Promise<void> | void)[] = [
      () => Deno.removeSync(folder, { recursive: true }),
    ];
    try {
      using home = NetNs.create(libc, path);
      undo.push(() => NetNs.remove(libc, path));
      home.run(() => silenceKernel());
      let swIfIndex: number;
      if (attachment === "tap") {
        ({ sw_if_index: swIfIndex } = await vpp.request("tap_create_v3", {
          id: NONE,
          use_random_mac: false,
          mac_address: mac(switchMac),
          host_namespace_set: true,
          host_namespace: path,
          host_if_name_set: true,
          host_if_name: "peer",
          host_mac_addr_set: true,
          host_mac_addr: mac(peerMac),
          tap_flags: 0,
        }));
        undo.push(async () =>
          void await vpp.requestRaw("tap_delete_v2", { sw_if_index: swIfIndex })
        );
      } else {
        if (namespace === undefined) throw new Error("The switch's namespace is not known");
        using outer = NetNs.open(libc, namespace);
        using netlink = RtNetlink.open(libc, outer);
        const name = `cf${Deno.pid}x${id}`;
        netlink.createVeth({ name, peer: { name: "peer", ns: home } });
        undo.push(() => {
          using inside = NetNs.open(libc, path);
          using netlink = RtNetlink.open(libc, inside);
          const link = netlink.link("peer");
          if (link !== undefined) netlink.deleteLink(link.index);
        });
        ({ sw_if_index: swIfIndex } = await vpp.request("af_packet_create_v3", {
          mode: 1,
          host_if_name: name,
          hw_addr: mac(switchMac),
          use_random_hw_addr: false,
        }));
        undo.push(async () =>
          void await vpp.requestRaw("af_packet_delete", { host_if_name: name })
        );
      }
      await vpp.request("sw_interface_set_flags", { sw_if_index: swIfIndex, flags: 1 });
      using netlink = RtNetlink.open(libc, home);
      const link = netlink.link("peer");
      if (link === undefined) throw new Error(`Cannot find the peer's end of ${attachment}`);
      netlink.setLink(link.index, { up: true });
      const socket = home.run(() =>
        PacketSocket.open(libc, { index: link.index, vnetHeader: false, ignoreOutgoing: true })
      );
      undo.push(() => socket.close());
      return new Peer(swIfIndex, switchMac, peerMac, socket, undo);
    } catch (error) {
      for (const step of undo.reverse()) await step();
      throw error;
    }
  }

  send(frame: Uint8Array<ArrayBuffer>): void {
    const sent = this.#socket.write(frame);
    if (sent !== frame.length) throw new Error(`Cannot send frame: ${sent}`);
  }

  /**
   * The next frame that the predicate wants; others are passed over.
   * @throws {Error} if none comes in time
   */
  async expect(what: string, wanted: (frame: Seen) => boolean): Promise<Seen> {
    const deadline = performance.now() + LIMIT_MS;
    while (performance.now() < deadline) {
      const found = this.#next(wanted);
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    throw new Error(`Waited ${LIMIT_MS} ms in vain for ${what}`);
  }

  /** Whether no frame comes, within a short time, that the predicate wants. */
  async quiet(wanted: (frame: Seen) => boolean): Promise<boolean> {
    await new Promise((resolve) => setTimeout(resolve, 150));
    return this.#next(wanted) === undefined;
  }

  #next(wanted: (frame: Seen) => boolean): Seen | undefined {
    for (;;) {
      const length = this.#socket.read(this.#buffer);
      if (length < 0) return undefined;
      const seen = dissect(this.#buffer.slice(0, length));
      if (wanted(seen)) return seen;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const step of this.#undo.reverse()) await step();
    this.#undo.length = 0;
  }
}

/** The peer's kernel keeps still: only the test speaks. */
function silenceKernel(): void {
  Deno.writeTextFileSync("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
  Deno.writeTextFileSync("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
}
