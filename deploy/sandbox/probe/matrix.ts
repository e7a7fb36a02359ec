import { type Libc, NetNs } from "@contiv/libc";
import { IpAddress } from "@contiv/net";
import { inParallel } from "../in_parallel.ts";
import { probe, type ProbeResult, type ProbeTarget, PROTOCOLS, randomPayload } from "./probe.ts";
import { ProbeServer } from "./probe_server.ts";
import { Witness } from "./witness.ts";

/** An end of the matrix: a namespace with addresses. */
export interface Endpoint {
  readonly name: string;
  readonly netns: string;
  readonly addresses: readonly string[];
  readonly gateways: readonly string[];
}

/**
 * The source address that the receiver is to see; `undefined` for a path that nobody promises, which
 * is not measured.
 */
export type SourcePromise<End extends Endpoint> = (
  from: End,
  to: End,
  address: string,
) => string | undefined;

/** One measured path. */
export interface MatrixCell extends ProbeResult {
  readonly from: string;
  readonly to: string;
  readonly protocol: ProbeTarget["protocol"];
  readonly address: string;
  /** The source address that the receiver saw; none where nothing arrived, and of gateways. */
  readonly source?: string;
}

const PORT = 7_007;

/** Milliseconds for each attempt; there is only one. */
const LIMIT_MS = 1_000;

/** How many attempts run at a time: enough that a broken network is reported soon. */
const PARALLEL = 8;

/** Within a network that translates nothing, everybody is seen under their own address. */
export function ownSource({ addresses }: Endpoint, _to: Endpoint, to: string): string | undefined {
  const { family } = IpAddress.parse(to);
  return addresses.find((each) => IpAddress.parse(each).family === family);
}

/**
 * Probes every pair of endpoints over every protocol and family, and each endpoint's gateways by
 * ICMP, with one attempt each. A cell is right if the answer came, and the receiver saw the source
 * that was promised.
 */
export async function measureMatrix<End extends Endpoint>(
  libc: Libc,
  endpoints: readonly End[],
  promise: SourcePromise<End> = ownSource,
): Promise<MatrixCell[]> {
  await using opened = new AsyncDisposableStack();
  const ends = endpoints.map((endpoint) => {
    const namespace = opened.adopt(NetNs.open(libc, endpoint.netns), (owned) => owned.close());
    const witness = opened.use(Witness.open(libc, namespace));
    const addresses = endpoint.addresses.map(IpAddress.parse);
    opened.use(ProbeServer.open(libc, namespace, addresses, PORT, witness));
    return { endpoint, namespace, witness };
  });
  const attempts: (() => Promise<MatrixCell>)[] = [];
  for (const { endpoint: from, namespace } of ends) {
    const attempt = (protocol: ProbeTarget["protocol"], address: string) => {
      const target = { protocol, address: IpAddress.parse(address), port: PORT, limitMs: LIMIT_MS };
      const payload = randomPayload();
      return { payload, result: probe(libc, namespace, { ...target, payload }) };
    };
    for (const { endpoint: to, witness } of ends) {
      if (to === from) continue;
      for (const address of to.addresses) {
        const promised = promise(from, to, address);
        if (promised === undefined) continue;
        for (const protocol of PROTOCOLS) {
          attempts.push(async () => {
            const { payload, result } = attempt(protocol, address);
            const answered = await result;
            const source = witness.take(payload)?.toString();
            const judged = judge(answered, source, promised);
            return { from: from.name, to: to.name, protocol, address, ...judged };
          });
        }
      }
    }
    for (const address of from.gateways.filter((each) => each !== "")) {
      const path = { from: from.name, to: "gateway", protocol: "icmp", address } as const;
      attempts.push(async () => ({ ...path, ...await attempt("icmp", address).result }));
    }
  }
  return await inParallel(attempts, PARALLEL);
}

function judge(
  result: ProbeResult,
  source: string | undefined,
  promised: string,
): ProbeResult & Pick<MatrixCell, "source"> {
  if (source === undefined) {
    return result.ok ? { ...result, ok: false, reason: "answered by somebody else" } : result;
  }
  if (source !== promised) {
    const reason = `seen from ${source}, ${promised} promised`;
    return { ...result, ok: false, reason, source };
  }
  if (result.ok) return { ...result, source };
  return { ...result, reason: `it arrived, from ${source}, but ${result.reason}`, source };
}
