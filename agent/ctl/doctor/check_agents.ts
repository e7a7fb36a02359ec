import type { Examination } from "./examination.ts";
import type { Finding } from "./finding.ts";

/** Failed items that a sentence names. */
const NAMED = 3;

/** Every node's agent lives, has its VPP, and applied what it wants. */
export function checkAgents({ agents, silent, view }: Examination): Finding[] {
  const findings: Finding[] = [];
  const here = new Map(agents.map((agent) => [agent.node, agent]));
  for (const [socket, reason] of silent) {
    const nodes = [...view.vswitches.values()].filter((each) => each.statusSocket === socket);
    const whose = nodes.length === 1 ? nodes[0]!.name : `agent at ${socket}`;
    findings.push({
      subject: whose,
      problem: `Its agent does not answer on ${socket}: ${reason}.`,
      remedy: "Start contiv agent again, and see its log; pods keep their connections meanwhile, " +
        "none can be added.",
    });
  }
  const told = new Set(findings.map(({ subject }) => subject));
  for (const name of new Set([...view.records.keys(), ...view.agents.keys(), ...here.keys()])) {
    if (told.has(name)) continue;
    // What the agent itself says is newer than what stands in the store.
    const agent = here.get(name) ?? view.agents.get(name);
    if (agent === undefined) {
      findings.push({
        subject: name,
        problem: "Its agent does not run, or does not reach the store.",
        remedy: "Start contiv agent there; if it runs, see that the node reaches the store's " +
          "endpoints. Forwarding goes on meanwhile.",
      });
      continue;
    }
    findings.push(...checkAgent(name, agent, here.has(name) ? "" : " told the store"));
  }
  const others = view.records.size - 1;
  for (const [name, { peers, unavailable }] of view.agents) {
    const isAlone = view.vswitches.get(name)?.device === "";
    if (isAlone || unavailable !== "" || told.has(name) || peers === others) continue;
    findings.push({
      subject: name,
      problem: `It has joined ${peers} other nodes, and there are ${others}.`,
      remedy: "See in its log whether it follows the store; a restart of its agent compares all.",
    });
  }
  return findings;
}

interface AgentFacts {
  readonly joined?: boolean;
  readonly unavailable: string | undefined;
  readonly conflict?: string | undefined;
  readonly vppConnected: boolean;
  readonly failed: readonly { readonly key: string; readonly error: string }[];
  readonly failedCount?: number;
}

function checkAgent(name: string, agent: AgentFacts, told: string): Finding[] {
  const { failed, failedCount = failed.length, joined = true, unavailable, vppConnected } = agent;
  const { conflict = "" } = agent;
  const findings: Finding[] = [];
  if (conflict !== "") {
    return [{
      subject: name,
      problem: `It is cut off from the cluster: ${conflict}.`,
      remedy: "Drain the node, so that it has no pods, and restart its agent: it gets an ID and " +
        "addresses of its own. Until then its pods reach each other and their host only.",
    }];
  }
  if (!joined) {
    return [{
      subject: name,
      problem: `Its agent takes no pods: ${unavailable}.`,
      remedy: "Bring about what it waits for; its log says more.",
    }];
  }
  if (!vppConnected) {
    findings.push({
      subject: name,
      problem: `Its agent${told}: ${unavailable || "VPP is away"}.`,
      remedy: "Start VPP (or contiv vswitch) on that node, with the API socket that agent.json " +
        "names; the agent then applies everything again by itself.",
    });
  } else if (unavailable !== undefined && unavailable !== "") {
    findings.push({
      subject: name,
      problem: `Its agent takes no pods: ${unavailable}.`,
      remedy: "Wait some seconds; if it stays so, the agent's log says why.",
    });
  }
  if (failedCount > 0) {
    const items = failed.slice(0, NAMED).map(({ error, key }) => `${key} (${error})`).join("; ");
    const more = failedCount > NAMED ? ` and ${failedCount - NAMED} more` : "";
    findings.push({
      subject: name,
      problem: `Its agent could not apply ${items}${more}.`,
      remedy: "Remove what stands in the way; the agent tries again by itself, at once on POST " +
        "/resync at its status socket, and GET /history there tells what it tried.",
    });
  }
  return findings;
}
