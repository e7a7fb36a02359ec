import { type CommandContext, ExitCode, UsageError } from "@contiv/cli";
import type { Family, IpAddress } from "@contiv/net";
import type { AgentClient } from "./agent_client.ts";
import type { ClusterView } from "./cluster_view.ts";
import { type Format, print } from "./format.ts";
import { commonFamily, findEnd, type TraceEnd } from "./trace_end.ts";
import { type TracedPacket, tracedPackets } from "./traced_packet.ts";

export interface TraceOptions {
  readonly view: ClusterView;
  readonly agents: ReadonlyMap<string, AgentClient>;
  readonly context: Pick<CommandContext, "stderr" | "stdout">;
  readonly format: Format;
  /** Of ends that name none. */
  readonly namespace: string;
  /** @default the first that both ends have */
  readonly family?: Family;
}

/** Packets that each data plane traces: ours come among those of everybody else. */
const PACKETS = 500;
/** Milliseconds that a traced packet may take to turn up. */
const LIMIT_MS = 1_500;

/** What one data plane saw. */
interface Sight {
  readonly node: string;
  readonly packets: readonly TracedPacket[];
  /** Why nothing is known, if so. */
  readonly problem?: string;
}

/**
 * Has the nodes at both ends trace, sends one echo request, and shows its way there and back.
 * @returns OK if it was answered, else FAILURE
 * @throws {UsageError} for ends that are not there
 */
export async function tracePacket(
  options: TraceOptions,
  words: readonly [from: string, to: string],
): Promise<number> {
  const { agents, context, format, namespace, view } = options;
  const [from, to] = words.map((word) => requireEnd(view, word, namespace)) as [TraceEnd, TraceEnd];
  const pair = commonFamily(from, to, options.family);
  if (from.node === undefined || from.from === undefined) {
    throw new UsageError(`trace: ${from.label} is none of the cluster's, a pod or a node wanted`);
  }
  if (pair === undefined) {
    throw new UsageError(`trace: ${from.label} and ${to.label} have no addresses of one family`);
  }
  const [source, destination] = pair;
  const sender = agents.get(from.node);
  if (sender === undefined) {
    context.stderr.write(`contiv ctl: ${unreached(from.node)}\n`);
    return ExitCode.FAILURE;
  }
  const nodes = [...new Set([from.node, ...to.node === undefined ? [] : [to.node]])];
  const armed = new Map<string, string | undefined>();
  for (const node of nodes) armed.set(node, await arm(agents.get(node), node));
  const answer = await sender.json("POST", `/echo?from=${from.from}&to=${destination}`) ?? {};
  const sights = await Promise.all(nodes.map(async (node): Promise<Sight> => {
    const problem = armed.get(node);
    if (problem !== undefined) return { node, packets: [], problem };
    return { node, packets: await see(agents.get(node)!, source, destination) };
  }));
  const { answered, milliseconds, reason } = answer;
  const isAnswered = answered === true;
  if (format === "json" || format === "yaml") {
    const ends = { from: from.label, to: to.label, source, destination };
    context.stdout.write(print(format, {
      ...JSON.parse(JSON.stringify(ends)) as Record<string, string>,
      answered: isAnswered,
      milliseconds,
      nodes: sights,
    }));
  } else {
    const outcome = isAnswered
      ? `answered in ${Number(milliseconds).toFixed(1)} ms`
      : `no answer${typeof reason === "string" ? `: ${reason}` : ""}`;
    context.stdout.write(
      `Echo from ${from.label} (${source}, ${from.node}) to ${to.label} (${destination}${
        to.node === undefined ? "" : `, ${to.node}`
      }): ${outcome}\n${describe(sights, format)}`,
    );
  }
  return isAnswered ? ExitCode.OK : ExitCode.FAILURE;
}

function requireEnd(view: ClusterView, word: string, namespace: string): TraceEnd {
  const end = findEnd(view, word, namespace);
  if (end !== undefined) return end;
  throw new UsageError(
    `trace: no pod, node or address is ${
      JSON.stringify(word)
    }, such as contiv ctl pods shows wanted`,
  );
}

/** @returns why it cannot trace, if so */
async function arm(client: AgentClient | undefined, node: string): Promise<string | undefined> {
  if (client === undefined) return unreached(node);
  const { body, status } = await client.post(`/trace?packets=${PACKETS}`);
  return status === 202 ? undefined : `the agent of ${node} cannot trace: ${body.trim()}`;
}

function unreached(node: string): string {
  return `the agent of ${node} is not reached from here: run this on that node, or forward its ` +
    `status socket and name it with --agents ${node}=SOCKET`;
}

async function see(
  client: AgentClient,
  source: IpAddress,
  destination: IpAddress,
): Promise<readonly TracedPacket[]> {
  const deadline = performance.now() + LIMIT_MS;
  while (true) {
    const { body, status } = await client.get("/trace");
    const packets = status === 200 ? tracedPackets(body, source, destination) : [];
    if (packets.length > 0 || performance.now() > deadline) return packets;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The way there in the order of the nodes, then the way back; all that VPP says in `wide`. */
function describe(sights: readonly Sight[], format: Format): string {
  const problems = sights.flatMap(({ node, packets, problem }) => {
    if (problem !== undefined) return [`\n${node}: ${problem}\n`];
    return packets.length === 0 ? [`\n${node}: its data plane saw no such packet\n`] : [];
  });
  const ways = [...inDirection("there", sights), ...inDirection("back", sights.toReversed())];
  const packets = ways.map(({ direction, node, path, text }) => {
    if (format !== "wide") return `\n${node}, ${direction}:\n${wrap(path)}`;
    const lines = text.split("\n").map((line) => `  ${line}`.trimEnd()).join("\n");
    return `\n${node}, ${direction}:\n${lines}\n`;
  });
  return [...packets, ...problems].join("");
}

function inDirection(
  direction: TracedPacket["direction"],
  sights: readonly Sight[],
): (TracedPacket & { readonly node: string })[] {
  return sights.flatMap(({ node, packets }) =>
    packets.filter((packet) => packet.direction === direction).map((packet) => ({
      ...packet,
      node,
    }))
  );
}

/** Columns of a line. */
const WIDTH = 80;

/** A packet's path, in lines that start where the last one ends. */
function wrap(path: readonly string[]): string {
  let text = "";
  let line = " ";
  for (const [i, name] of path.entries()) {
    const word = i === 0 ? name : `> ${name}`;
    if (line.length + 1 + word.length > WIDTH) {
      text += `${line}\n`;
      line = " ";
    }
    line += ` ${word}`;
  }
  return `${text}${line}\n`;
}
