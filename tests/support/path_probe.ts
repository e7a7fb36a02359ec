import { Epoll, EPOLLIN, InetSocket, type Libc, LibcError, type NetNs } from "@contiv/libc";
import type { IpAddress } from "@contiv/net";
import { echoRequest } from "../../deploy/sandbox/probe/echo_request.ts";

/** What became of a datagram. */
export type PathResult =
  | "delivered"
  /** The sender's kernel knows that it does not fit, of its device or of an ICMP error. */
  | "too big"
  /** Nobody said anything. */
  | "hole";

/** Socket options of ip(7) and ipv6(7) for whether the kernel may cut datagrams: its level too. */
const MTU_DISCOVER = {
  4: { level: 0, option: 10 },
  6: { level: 41, option: 23 },
} as const;
const NEVER = 0;
const ALWAYS = 2;

/** Milliseconds for each attempt, and how many: the first may be what teaches the path's MTU. */
const LIMIT_MS = 300;
const ATTEMPTS = 4;

export interface PathProbeOptions {
  readonly to: IpAddress;
  readonly port: number;
  /** Octets of payload. */
  readonly size: number;
  /** Whether the datagram must not be cut, by nobody: IPv4's DF bit; IPv6's routers never cut. */
  readonly whole: boolean;
}

/**
 * Sends a datagram from a namespace to a server of {@link RECEIPTS} until it is known what becomes of it.
 * @throws {LibcError} for an error that is not about its size
 */
export async function probePath(
  libc: Libc,
  from: NetNs,
  { port, size, to, whole }: PathProbeOptions,
): Promise<PathResult> {
  using socket = from.run(() => InetSocket.open(libc, { family: to.family, kind: "udp" }));
  const { level, option } = MTU_DISCOVER[to.family];
  const value = Int32Array.of(whole ? ALWAYS : NEVER);
  const result = libc.symbols.setsockopt(socket.fd, level, option, value, 4);
  libc.check(result, "set option of socket", "setsockopt", `${option}`);
  socket.connect(to, port);
  using epoll = Epoll.open(libc);
  epoll.add(socket.fd, EPOLLIN, 0);
  const payload = crypto.getRandomValues(new Uint8Array(size));
  const answer = new Uint8Array(64);
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      socket.send(payload);
      const deadline = performance.now() + LIMIT_MS;
      for (let rest = LIMIT_MS; rest > 0; rest = Math.ceil(deadline - performance.now())) {
        if (await epoll.waitAsync(rest) === 0) break;
        const length = socket.receive(answer);
        if (length >= 0 && isReceipt(answer.subarray(0, length), payload)) return "delivered";
      }
    }
    return "hole";
  } catch (error) {
    if (error instanceof LibcError && error.code === "EMSGSIZE") return "too big";
    throw error;
  }
}

/**
 * Asks a server of {@link RECEIPTS}, from a namespace, for a datagram of some size, as often as it
 * takes the server's kernel to learn the path's MTU.
 */
export async function probeAnswer(
  libc: Libc,
  from: NetNs,
  { port, size, to }: Omit<PathProbeOptions, "whole">,
): Promise<Exclude<PathResult, "too big">> {
  using socket = from.run(() => InetSocket.open(libc, { family: to.family, kind: "udp" }));
  socket.connect(to, port);
  using epoll = Epoll.open(libc);
  epoll.add(socket.fd, EPOLLIN, 0);
  const question = questionFor(size);
  const wanted = answerTo(question)!;
  const answer = new Uint8Array(size + 1);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    socket.send(question);
    if (await epoll.waitAsync(LIMIT_MS) === 0) continue;
    const length = socket.receive(answer);
    if (length === size && wanted.every((octet, i) => answer[i] === octet)) return "delivered";
  }
  return "hole";
}

/** Asks a kernel, from a namespace, for an echo of some size, which both sides may cut. */
export async function probeEcho(
  libc: Libc,
  from: NetNs,
  { size, to }: Pick<PathProbeOptions, "size" | "to">,
): Promise<Exclude<PathResult, "too big">> {
  using socket = from.run(() => InetSocket.open(libc, { family: to.family, kind: "icmp" }));
  socket.connect(to, 0);
  using epoll = Epoll.open(libc);
  epoll.add(socket.fd, EPOLLIN, 0);
  const payload = crypto.getRandomValues(new Uint8Array(size));
  const request = echoRequest(to.family, payload);
  const answer = new Uint8Array(65_536);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    socket.send(request);
    if (await epoll.waitAsync(LIMIT_MS) === 0) continue;
    const length = socket.receive(answer);
    const tail = answer.subarray(Math.max(0, length - size), Math.max(0, length));
    if (tail.length === size && tail.every((octet, i) => octet === payload[i])) return "delivered";
  }
  return "hole";
}

/** What a question begins with. */
const QUESTION = 0x61736b3f;

function questionFor(size: number): Uint8Array<ArrayBuffer> {
  const question = new Uint8Array(8);
  const view = new DataView(question.buffer);
  view.setUint32(0, QUESTION);
  view.setUint32(4, size);
  return question;
}

/** The answer to what {@link probeAnswer} asks; undefined for other datagrams. */
export function answerTo(datagram: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
  if (datagram.length !== 8 || view.getUint32(0) !== QUESTION) return undefined;
  return Uint8Array.from({ length: view.getUint32(4) }, (_, i) => i * 31);
}

/** What the server says of a datagram: its length, a sum of its octets, and how it starts. */
export function receiptOf(datagram: Uint8Array): Uint8Array<ArrayBuffer> {
  const receipt = new Uint8Array(16);
  const view = new DataView(receipt.buffer);
  view.setUint32(0, datagram.length);
  view.setUint32(4, datagram.reduce((sum, octet) => (sum * 31 + octet) >>> 0, 0));
  receipt.set(datagram.subarray(0, 8), 8);
  return receipt;
}

function isReceipt(answer: Uint8Array, payload: Uint8Array): boolean {
  return receiptOf(payload).every((octet, i) => answer[i] === octet);
}
