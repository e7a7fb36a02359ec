import type { ClusterConfig, Node, NodeRecord } from "@contiv/model";
import { nodeNetwork } from "../../network/mod.ts";
import type { Examination } from "./examination.ts";
import type { Finding } from "./finding.ts";

/** Nodes as Kubernetes has them, as they told of themselves, and their IDs agree. */
export function checkNodes({ agents, view }: Examination): Finding[] {
  const { config, ids, nodes, records, whole } = view;
  const findings: Finding[] = [];
  if (config === undefined && records.size > 0) {
    findings.push({
      subject: "config",
      problem: "The cluster's configuration is not in the store, or cannot be read.",
      remedy: "Put it back as JSON under /contiv/v1/config/cluster; {} stands for the defaults. " +
        "Without it no further node can join.",
    });
  }
  for (const name of nodes.keys()) {
    // Of one that lost its place, its agent tells why.
    const { conflict = "" } = agents.find(({ node }) => node === name) ?? view.agents.get(name) ??
      {};
    if (records.has(name) || conflict !== "") continue;
    findings.push({
      subject: name,
      problem: "Kubernetes has this node, and its agent has never joined.",
      remedy: "Start contiv agent there, with this name as nodeName and the store's endpoints; " +
        "its log says what it waits for.",
    });
  }
  for (const record of records.values()) {
    const { id, name } = record;
    const find = (problem: string, remedy: string): void =>
      void findings.push({ subject: name, problem, remedy });
    const node = nodes.get(name);
    if (node === undefined && whole.nodes) {
      find(
        "It has joined, and Kubernetes has no such node.",
        "Register it, or correct nodeName in its agent.json. If it is gone for good, delete the " +
          `keys /contiv/v1/nodes/${name}, /contiv/v1/node-ids/${id} and /contiv/vswitch/v1/${name}/.`,
      );
    }
    const holder = ids.get(id);
    if (holder !== name) {
      find(
        `It works with ID ${id}, which ${holder === undefined ? "nobody" : holder} holds.`,
        "Remove its pods, stop its agent, delete the agent's state directory and start it again: " +
          "it gets an ID of its own.",
      );
    }
    for (const [other, whose] of ids) {
      if (whose !== name || other === id) continue;
      find(
        `It holds ID ${other} besides its own, ${id}.`,
        `Delete the key /contiv/v1/node-ids/${other}.`,
      );
    }
    if (config !== undefined) findings.push(...checkPrefixes(config, record, node));
  }
  return findings;
}

/** A node's prefixes are those that its ID, or Kubernetes, gives. */
function checkPrefixes(
  config: ClusterConfig,
  { id, name, pods }: NodeRecord,
  node: Node | undefined,
): Finding[] {
  const given = config.nodePrefixes === "kubernetes" ? node?.podCidrs : expected(config, name, id);
  if (given === undefined) return [];
  const texts = (list: readonly unknown[]): string => list.map(String).sort().join(", ");
  if (texts(pods) === texts(given)) return [];
  const source = config.nodePrefixes === "kubernetes" ? "Kubernetes gives" : `ID ${id} means`;
  return [{
    subject: name,
    problem: `Its pods' prefixes are ${texts(pods) || "none"}, and ${source} ${
      texts(given) || "none"
    }.`,
    remedy:
      "Restart its agent, which takes them over; pods with other addresses must be made anew.",
  }];
}

function expected(config: ClusterConfig, name: string, id: number): unknown[] | undefined {
  try {
    const facts = { name, id, podCidrs: [], uplink: [], internal: [] };
    return nodeNetwork(config, facts).pods.map(({ prefix }) => prefix);
  } catch {
    // An ID beyond the subnets' end has no prefixes: the agent refused it.
    return undefined;
  }
}
