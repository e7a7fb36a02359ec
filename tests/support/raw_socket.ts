import { NetNs, PacketSocket, RtNetlink } from "@contiv/libc";
import { MacAddress } from "@contiv/net";
import type { PodRecord } from "../../deploy/sandbox/state.ts";
import type { TestNode } from "./test_node.ts";

/** A packet socket on a pod's eth0: sends and sees whole frames, as a hostile pod's own would. */
export class RawSocket implements Disposable {
  /** Of the pod's device. */
  readonly mac: MacAddress;
  readonly #socket: PacketSocket;
  readonly #buffer = new Uint8Array(2_048);

  constructor(node: TestNode, pod: PodRecord) {
    using namespace = NetNs.open(node.libc, pod.netns);
    using netlink = RtNetlink.open(node.libc, namespace);
    const link = netlink.link("eth0");
    if (link?.mac === undefined) throw new Error(`Cannot open a socket: ${pod.name} has no eth0`);
    this.mac = link.mac;
    const options = { index: link.index, vnetHeader: false, ignoreOutgoing: true };
    this.#socket = namespace.run(() => PacketSocket.open(node.libc, options));
  }

  send(frame: Uint8Array): void {
    this.#socket.write(Uint8Array.from(frame));
  }

  /** The frames that have arrived since the last call. */
  take(): readonly Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (let length; (length = this.#socket.read(this.#buffer)) > 0;) {
      frames.push(this.#buffer.slice(0, length));
    }
    return frames;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** The source of an Ethernet frame. */
export function sourceOf(frame: Uint8Array): string {
  return MacAddress.from(frame.subarray(6, 12)).toString();
}
