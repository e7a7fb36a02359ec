import { Epoll, EPOLLIN, InetSocket, type Libc, type NetNs } from "@contiv/libc";
import type { IpAddress } from "@contiv/net";
import { echoRequest, isEchoRequest } from "./echo_request.ts";

/** The protocols that are probed. */
export const PROTOCOLS = ["icmp", "tcp", "udp"] as const;
export type Protocol = typeof PROTOCOLS[number];

/** What one attempt showed. */
export interface ProbeResult {
  readonly ok: boolean;
  /** Milliseconds from sending to the answer. */
  readonly milliseconds: number;
  /** Why it failed. */
  readonly reason?: string;
}

/** One attempt from a namespace to an address. */
export interface ProbeTarget {
  readonly protocol: Protocol;
  readonly address: IpAddress;
  /** Port of a {@link ProbeServer} that echoes; not used for ICMP. */
  readonly port: number;
  /** Milliseconds for the whole attempt. */
  readonly limitMs: number;
  /** What is sent; {@link PAYLOAD_OCTETS}. @default random */
  readonly payload?: Uint8Array<ArrayBuffer>;
}

/** Octets of each probe's payload. */
export const PAYLOAD_OCTETS = 32;

/** A payload that no other probe has. */
export function randomPayload(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(PAYLOAD_OCTETS));
}

/**
 * Sends one request by a real socket in the namespace and waits for its answer. Never throws: what
 * goes wrong is the result.
 */
export async function probe(
  libc: Libc,
  netns: NetNs,
  target: ProbeTarget,
): Promise<ProbeResult> {
  const start = performance.now();
  const elapsed = (): number => performance.now() - start;
  try {
    const { payload = randomPayload() } = target;
    const answered = target.protocol === "tcp"
      ? await tcp(netns, target, payload)
      : await datagram(libc, netns, target, payload);
    return answered
      ? { ok: true, milliseconds: elapsed() }
      : { ok: false, milliseconds: elapsed(), reason: `no answer in ${target.limitMs} ms` };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ok: false, milliseconds: elapsed(), reason };
  }
}

async function tcp(
  netns: NetNs,
  target: ProbeTarget,
  payload: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const signal = AbortSignal.timeout(target.limitMs);
  // Deno makes the socket before it returns the promise, so in the namespace.
  const pending: Promise<Deno.TcpConn>[] = [];
  netns.run(() => {
    pending.push(Deno.connect({
      hostname: target.address.toString(),
      port: target.port,
      autoSelectFamily: false,
      signal,
    }));
  });
  let connection: Deno.TcpConn | undefined;
  const close = (): void => connection?.close();
  try {
    connection = await pending[0];
    signal.addEventListener("abort", close);
    await connection?.write(payload);
    const answer = new Uint8Array(payload.length);
    for (let got = 0; got < answer.length;) {
      const count = await connection?.read(answer.subarray(got)) ?? null;
      if (count === null) return false;
      got += count;
    }
    return answer.every((byte, i) => byte === payload[i]);
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  } finally {
    signal.removeEventListener("abort", close);
    if (!signal.aborted) close();
  }
}

async function datagram(
  libc: Libc,
  netns: NetNs,
  target: ProbeTarget,
  payload: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const { family } = target.address;
  const kind = target.protocol === "icmp" ? "icmp" : "udp";
  using socket = netns.run(() => InetSocket.open(libc, { family, kind }));
  using epoll = Epoll.open(libc);
  epoll.add(socket.fd, EPOLLIN, 0);
  socket.connect(target.address, target.port);
  socket.send(kind === "icmp" ? echoRequest(family, payload) : payload);
  const deadline = performance.now() + target.limitMs;
  const buffer = new Uint8Array(2_048);
  while (true) {
    const rest = Math.ceil(deadline - performance.now());
    if (rest <= 0 || await epoll.waitAsync(rest) === 0) return false;
    const length = socket.receive(buffer);
    // The payload is random, so an answer that ends with it is ours. An echo request to an own
    // address comes by as well: type 8 and 128 are requests (RFC 792, RFC 4443).
    if (length >= payload.length && !(kind === "icmp" && isEchoRequest(family, buffer))) {
      const tail = buffer.subarray(length - payload.length, length);
      if (tail.every((byte, i) => byte === payload[i])) return true;
    }
  }
}
