import { KSR_ELECTION, KSR_STATUS_KEY } from "@contiv/model";
import { type Store, StoreError } from "@contiv/store";
import type { AgentClient } from "./agent_client.ts";
import { type ClusterView, NO_CLUSTER, readCluster } from "./cluster_view.ts";
import type { Examination, HostEcho, KsrView, LocalAgent } from "./doctor/mod.ts";
import { findAgents } from "./find_agents.ts";

export type ExaminedStore = Pick<Store, "get" | "health" | "leader" | "range">;

/** Echoes that are tried, so that a large cluster is not flooded. */
const MAX_ECHOES = 256;
/** Echoes under way at once. */
const CONCURRENT = 16;

/** Looks at everything that can be seen from here. Does not reject for what is away. */
export async function examine(
  store: ExaminedStore,
  named: ReadonlyMap<string, string>,
  now: number,
): Promise<Examination> {
  const health = await store.health();
  let storeError: string | undefined;
  let view = NO_CLUSTER;
  let ksr: KsrView = { leader: undefined, status: {} };
  try {
    if (!health.healthy) throw new StoreError("UNAVAILABLE", "no endpoint answers");
    view = await readCluster(store);
    ksr = await readKsr(store);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    storeError = error.message;
  }
  const { agents: clients, silent } = await findAgents(view.vswitches.values(), named);
  const told = await Promise.all(Array.from(clients, ([node, client]) => readAgent(node, client)));
  const agents = told.filter((agent) => agent !== undefined);
  const able = agents.filter(({ vppConnected }) => vppConnected).map(({ node }) => node);
  const echoes = await sendEchoes(view, clients, able);
  return { now, health, storeError, view, ksr, agents, silent, echoes };
}

/** What the writer of the cluster state says about itself. @throws {StoreError} */
export async function readKsr(store: Pick<Store, "get" | "leader">): Promise<KsrView> {
  const decoder = new TextDecoder();
  const key = await store.leader(KSR_ELECTION);
  const leader = key && decoder.decode(key.value);
  const entry = await store.get(KSR_STATUS_KEY);
  if (entry === undefined) return { leader, status: {} };
  try {
    const status: unknown = JSON.parse(decoder.decode(entry.value));
    const isObject = typeof status === "object" && status !== null;
    return { leader, status: isObject ? status as KsrView["status"] : {} };
  } catch {
    return { leader, status: {} };
  }
}

async function readAgent(node: string, client: AgentClient): Promise<LocalAgent | undefined> {
  const status = await client.json("GET", "/status");
  if (status === undefined) return undefined;
  const { conflict, failed, unavailable, vpp } = status as {
    conflict?: string;
    failed?: readonly { key?: unknown; error?: unknown }[];
    unavailable?: string;
    vpp?: { connected?: boolean };
  };
  return {
    node,
    // Before, it says nothing of VPP.
    joined: vpp !== undefined,
    unavailable,
    conflict,
    vppConnected: vpp?.connected === true,
    failed: (failed ?? []).map(({ error, key }) => ({ key: String(key), error: String(error) })),
  };
}

async function sendEchoes(
  view: ClusterView,
  clients: ReadonlyMap<string, AgentClient>,
  able: readonly string[],
): Promise<HostEcho[]> {
  const wanted = able.flatMap((from) =>
    [...view.vswitches.values()].filter(({ name }) => name !== from).flatMap(({ host, name }) =>
      host.map((address) => ({ from, to: name, address }))
    )
  ).slice(0, MAX_ECHOES);
  const echoes: HostEcho[] = [];
  const next = wanted.values();
  const work = async (): Promise<void> => {
    for (const echo of next) {
      const answer = await clients.get(echo.from)?.json("POST", `/echo?to=${echo.address}`);
      if (answer === undefined) continue;
      const { answered, reason } = answer;
      echoes.push({
        ...echo,
        answered: answered === true,
        ...typeof reason === "string" && { reason },
      });
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, work));
  return echoes.sort((a, b) => `${a.from} ${a.to}` < `${b.from} ${b.to}` ? -1 : 1);
}
