import { Epoll, EPOLLIN, InetSocket, type Libc, NetNs } from "@contiv/libc";
import { type Family, internetChecksum, type IpAddress } from "@contiv/net";

/** What one echo request came to. */
export interface EchoResult {
  readonly answered: boolean;
  /** Milliseconds until the answer, or until it was given up. */
  readonly milliseconds: number;
  /** Why there was none, if not for time. */
  readonly reason?: string;
}

/** Types of requests (RFC 792; RFC 4443, 4.1). */
const ECHO_REQUEST = { 4: 8, 6: 128 } as const;

/**
 * Sends one ICMP echo request by a socket of the kernel in a network namespace, and waits for its
 * answer. Needs CAP_NET_RAW. Never rejects: what goes wrong is the result.
 */
export async function echo(
  libc: Libc,
  netns: string,
  address: IpAddress,
  limitMs: number,
): Promise<EchoResult> {
  const start = performance.now();
  try {
    const { family } = address;
    using namespace = NetNs.open(libc, netns);
    using socket = namespace.run(() => InetSocket.open(libc, { family, kind: "icmp" }));
    using epoll = Epoll.open(libc);
    epoll.add(socket.fd, EPOLLIN, 0);
    socket.connect(address, 0);
    const mark = crypto.getRandomValues(new Uint8Array(32));
    socket.send(request(family, mark));
    const answered = await answer(socket, epoll, mark, start + limitMs);
    return { answered, milliseconds: performance.now() - start };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { answered: false, milliseconds: performance.now() - start, reason };
  }
}

/** Whether a datagram with the mark at its end comes in time, other than the request itself. */
async function answer(
  socket: InetSocket,
  epoll: Epoll,
  mark: Uint8Array,
  deadline: number,
): Promise<boolean> {
  const buffer = new Uint8Array(2_048);
  while (true) {
    const rest = Math.ceil(deadline - performance.now());
    if (rest <= 0 || await epoll.waitAsync(rest) === 0) return false;
    const from = socket.receiveFrom(buffer);
    if (from === undefined || from.length < mark.length) continue;
    const { family } = from.address;
    // A raw IPv4 socket gives the IP header too (raw(7)), a raw IPv6 socket does not.
    const type = buffer[family === 4 ? ((buffer[0] ?? 0) & 0xf) * 4 : 0];
    if (type === ECHO_REQUEST[family]) continue;
    const tail = buffer.subarray(from.length - mark.length, from.length);
    if (tail.every((byte, i) => byte === mark[i])) return true;
  }
}

/** The kernel fills in ICMPv6's checksum. */
function request(family: Family, mark: Uint8Array): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(8 + mark.length);
  packet[0] = ECHO_REQUEST[family];
  packet.set(mark.subarray(0, 2), 4);
  packet.set(mark, 8);
  if (family === 4) {
    new DataView(packet.buffer).setUint16(2, internetChecksum(packet, 0, packet.length));
  }
  return packet;
}
