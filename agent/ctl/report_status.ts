import type { StoreHealth } from "@contiv/store";
import type { AgentClient } from "./agent_client.ts";
import { type ClusterView, nodeNames } from "./cluster_view.ts";
import type { Report } from "./report.ts";
import { agentState } from "./report_nodes.ts";

/** What is asked besides the store's content. */
export interface StatusSources {
  readonly health: StoreHealth;
  /** Who writes the cluster state. */
  readonly leader: string | undefined;
  readonly agents: ReadonlyMap<string, AgentClient>;
}

/** The cluster at a glance, and what the agents say that this machine reaches. */
export async function reportStatus(
  view: ClusterView,
  { agents, health, leader }: StatusSources,
): Promise<Report> {
  const states = nodeNames(view).map((name) =>
    agentState(view.agents.get(name), view.records.has(name))
  );
  const ready = states.filter((state) => state === "ready").length;
  const connected = view.connections.filter(({ state }) => state === "ready").length;
  const here = await Promise.all(Array.from(agents, async ([node, client]) => {
    const { vpp, ready, unavailable, items, attachments, failed, pid } =
      await client.json("GET", "/status") ?? {};
    const failures = Array.isArray(failed) ? failed.length : 0;
    return {
      node,
      socket: client.socket,
      pid,
      ready,
      unavailable,
      vpp,
      attachments,
      items,
      failures,
    };
  }));
  const endpoints = health.endpoints.map(({ endpoint, healthy, reason, version }) => ({
    endpoint,
    healthy,
    version,
    reason,
  }));
  return {
    plain: {
      store: { healthy: health.healthy, endpoints },
      ksr: { leader: leader ?? null },
      nodes: { all: states.length, ready },
      pods: { kubernetes: view.pods.length, connected, connections: view.connections.length },
      agents: here,
    },
    tables: [
      {
        head: ["PART", "STATE"],
        rows: [
          ...endpoints.map(({ endpoint, healthy, reason, version }) => [
            `store ${endpoint}`,
            healthy ? `healthy, ${version ?? ""}` : reason ?? "away",
          ]),
          ["ksr", leader === undefined ? "no leader" : `led by ${leader}`],
          ["nodes", `${ready} of ${states.length} ready`],
          ["pods", `${connected} connected, ${view.pods.length} in Kubernetes`],
        ],
      },
      {
        head: ["AGENT HERE", "PID", "READY", "ITEMS", "FAILED"],
        wide: ["SOCKET"],
        rows: here.map(({ failures, items, node, pid, ready, socket, unavailable }) =>
          [
            ...[node, pid, ready === true ? "yes" : unavailable ?? "no", counts(items), failures],
            socket,
          ].map((cell) => cell === undefined ? "" : String(cell))
        ),
      },
    ],
  };
}

function counts(items: unknown): string {
  if (typeof items !== "object" || items === null) return "";
  return Object.entries(items).map(([state, count]) => `${count} ${state}`).join(", ");
}
