import { type Datagram, InetSocket, type Libc, type NetNs } from "@contiv/libc";
import { IpAddress } from "@contiv/net";
import { isEchoRequest } from "./echo_request.ts";
import { PAYLOAD_OCTETS } from "./probe.ts";
import type { ProbeService } from "./probe_server.ts";

/**
 * Echoes probes, and knows from which address each came: over TCP and UDP what its socket says, over
 * ICMP what a raw socket sees of the requests that the kernel answers.
 */
export class Witness implements ProbeService, Disposable {
  readonly #sockets: readonly (readonly [4 | 6, InetSocket])[];
  readonly #buffer = new Uint8Array(2_048);
  /** Sources by the probes' payloads. */
  readonly #seen = new Map<string, IpAddress>();

  private constructor(sockets: readonly (readonly [4 | 6, InetSocket])[]) {
    this.#sockets = sockets;
  }

  /** @throws {LibcError} EPERM without CAP_NET_RAW */
  static open(libc: Libc, netns: NetNs): Witness {
    return new Witness(
      netns.run(() =>
        ([4, 6] as const).map((family) =>
          [family, InetSocket.open(libc, { family, kind: "icmp" })] as const
        )
      ),
    );
  }

  datagram(data: Uint8Array<ArrayBuffer>, { address }: Datagram): Uint8Array<ArrayBuffer> {
    this.#seen.set(data.toHex(), address);
    return data;
  }

  async connection(connection: Deno.TcpConn): Promise<void> {
    using _closed = connection;
    const payload = new Uint8Array(PAYLOAD_OCTETS);
    for (let got = 0; got < payload.length;) {
      const count = await connection.read(payload.subarray(got));
      if (count === null) return;
      got += count;
    }
    this.#seen.set(payload.toHex(), IpAddress.parse(connection.remoteAddr.hostname));
    await connection.write(payload);
  }

  /** Where the probe with this payload came from; `undefined` if it never arrived. Tells it once. */
  take(payload: Uint8Array): IpAddress | undefined {
    this.#readIcmp();
    const key = payload.toHex();
    const source = this.#seen.get(key);
    this.#seen.delete(key);
    return source;
  }

  #readIcmp(): void {
    for (const [family, socket] of this.#sockets) {
      for (;;) {
        const from = socket.receiveFrom(this.#buffer);
        if (from === undefined) break;
        const packet = this.#buffer.subarray(0, from.length);
        if (!isEchoRequest(family, packet)) continue;
        this.#seen.set(packet.subarray(-PAYLOAD_OCTETS).toHex(), from.address);
      }
    }
  }

  [Symbol.dispose](): void {
    for (const [, socket] of this.#sockets) socket.close();
  }
}
