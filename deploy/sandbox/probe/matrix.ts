import { type Libc, NetNs } from "@contiv/libc";
import { IpAddress } from "@contiv/net";
import { EchoServer } from "./echo_server.ts";
import { probe, type ProbeResult, type ProbeTarget, PROTOCOLS } from "./probe.ts";

/** An end of the matrix: a namespace with addresses. */
export interface Endpoint {
  readonly name: string;
  readonly netns: string;
  readonly addresses: readonly string[];
  readonly gateways: readonly string[];
}

/** One measured path. */
export interface MatrixCell extends ProbeResult {
  readonly from: string;
  readonly to: string;
  readonly protocol: ProbeTarget["protocol"];
  readonly address: string;
}

const ECHO_PORT = 7_007;

/** Milliseconds for each attempt; there is only one. */
const LIMIT_MS = 1_000;

/** How many attempts run at a time: enough that a broken network is reported soon. */
const PARALLEL = 8;

/**
 * Probes every pair of endpoints over every protocol and family, and each endpoint's gateways by
 * ICMP, with one attempt each.
 */
export async function measureMatrix(
  libc: Libc,
  endpoints: readonly Endpoint[],
): Promise<MatrixCell[]> {
  const opened = endpoints.map((endpoint) => ({
    ...endpoint,
    namespace: NetNs.open(libc, endpoint.netns),
  }));
  await using servers = new AsyncDisposableStack();
  for (const { namespace, addresses } of opened) {
    servers.adopt(namespace, (owned) => owned.close());
    servers.use(EchoServer.open(libc, namespace, addresses.map(IpAddress.parse), ECHO_PORT));
  }
  const attempts: (() => Promise<MatrixCell>)[] = [];
  for (const from of opened) {
    const add = (to: string, address: string, protocol: ProbeTarget["protocol"]): void => {
      attempts.push(async () => ({
        from: from.name,
        to,
        protocol,
        address,
        ...await probe(libc, from.namespace, {
          protocol,
          address: IpAddress.parse(address),
          port: ECHO_PORT,
          limitMs: LIMIT_MS,
        }),
      }));
    };
    for (const to of opened) {
      if (to === from) continue;
      for (const address of to.addresses) {
        for (const protocol of PROTOCOLS) add(to.name, address, protocol);
      }
    }
    for (const gateway of from.gateways) {
      if (gateway !== "") add("gateway", gateway, "icmp");
    }
  }
  return await inParallel(attempts, PARALLEL);
}

async function inParallel<T>(work: readonly (() => Promise<T>)[], width: number): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let i = next++; i < work.length; i = next++) {
      const item = work[i];
      if (item !== undefined) results[i] = await item();
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  return results;
}
