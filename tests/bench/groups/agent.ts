import type { DataPlaneChoice } from "../../../deploy/sandbox/data_plane.ts";
import { invokeAgent } from "../../support/invoke_agent.ts";
import { podLimit, vppChoice, WITHOUT_VPP } from "../../support/requires.ts";
import type { TestNode } from "../../support/test_node.ts";
import { kernelSettles } from "../kernel_settles.ts";
import { alternate } from "../alternate.ts";
import { BenchScope } from "../bench_scope.ts";
import type { Figure } from "../figure.ts";
import type { Group, GroupOptions } from "../group.ts";

const ROUNDS = 101;
const FEW = 1;
const MANY = 100;

/** The agent's part of ADD and DEL: no process is started, and two nodes are measured in turns. */
export const agentGroup: Group = {
  name: "agent",
  help: `the agent's part of ADD and DEL with few pods and many; on the VPP of CONTIV_VPP too`,
  async run(options: GroupOptions): Promise<Figure[]> {
    const figures = await measure({ kind: "embedded" }, "", options);
    const vpp = vppChoice();
    if (vpp !== undefined) return [...figures, ...await measure(vpp, ", on VPP", options)];
    options.progress(`without VPP: ${WITHOUT_VPP}`);
    return figures;
  },
};

async function measure(
  dataPlane: DataPlaneChoice,
  where: string,
  { signal, rounds = ROUNDS, progress }: GroupOptions,
): Promise<Figure[]> {
  await using scope = new BenchScope(signal);
  // One place stays for the pod that is measured.
  const pods = Math.min(MANY, podLimit(dataPlane) - 1);
  progress(`a node with ${FEW} pods and one with ${pods}${where}`);
  const few = await Caller.start(scope, dataPlane, FEW);
  const many = await Caller.start(scope, dataPlane, pods);
  progress("measuring");
  await alternate(
    { few: () => few.addAndDelete(), many: () => many.addAndDelete() },
    { rounds, warmUp: 10, signal },
  );
  const figures = (["ADD", "DEL"] as const).flatMap((verb) => {
    const [fewTook, manyTook] = [few.samples(verb, rounds), many.samples(verb, rounds)];
    return (["handler", "call"] as const).map((part): Figure => ({
      what: `${verb}, ${part === "handler" ? "in the agent (its log)" : "over gRPC"}${where}`,
      unit: "ms",
      better: "less",
      ours: { name: `${pods} pods present`, samples: manyTook[part] },
      peer: { name: `${FEW} pod present`, samples: fewTook[part] },
      wanted: verb === "ADD" && where === "" ? "p50 below 5, a ratio of at most 1.25" : "",
    }));
  });
  const from = { name: "one by one", samples: [many.filledIn] };
  return [
    ...figures,
    { what: `${pods} pods from empty${where}`, unit: "ms", better: "less", ours: from },
  ];
}

type Verb = "ADD" | "DEL";

/** Calls one node's agent as the plugin does, without the plugin's process. */
class Caller {
  readonly #scope: BenchScope;
  readonly #node: TestNode;
  readonly #durations: Record<Verb, { id: string; ms: number }[]> = { ADD: [], DEL: [] };
  #next = 0;
  /** Milliseconds that the calls took for the pods that it started with. */
  filledIn = 0;

  private constructor(scope: BenchScope, node: TestNode) {
    this.#scope = scope;
    this.#node = node;
  }

  static async start(
    scope: BenchScope,
    dataPlane: DataPlaneChoice,
    pods: number,
  ): Promise<Caller> {
    const caller = new Caller(scope, await scope.node(dataPlane));
    for (let index = 0; index < pods; index++) {
      scope.signal.throwIfAborted();
      const netns = scope.namespace().path;
      caller.filledIn += await caller.#call("ADD", `present-${index}`, netns);
    }
    return caller;
  }

  /** Milliseconds of one ADD and one DEL of a new pod. */
  async addAndDelete(): Promise<number> {
    await kernelSettles();
    const namespace = this.#scope.namespace();
    const id = `measured-${this.#next++}`;
    const added = await this.#call("ADD", id, namespace.path);
    const deleted = await this.#call("DEL", id, namespace.path);
    namespace[Symbol.dispose]();
    this.#durations.ADD.push({ id, ms: added });
    this.#durations.DEL.push({ id, ms: deleted });
    return added + deleted;
  }

  /** What the last calls took: seen by the caller, and as the agent logged it. */
  samples(verb: Verb, count: number): { readonly call: number[]; readonly handler: number[] } {
    const last = this.#durations[verb].slice(-count);
    const logged = new Map<string, number>();
    for (const line of this.#node.log("agent").split("\n")) {
      const match = / event="cni done" command=(\w+) container=(\S+) .* ms=([\d.]+)$/.exec(line);
      if (match?.[1] === verb) logged.set(match[2] ?? "", Number(match[3]));
    }
    const handler = last.map(({ id }) => {
      const ms = logged.get(id);
      if (ms === undefined) {
        throw new Error(`Cannot read the agent's log: it has no duration of ${verb} ${id}`);
      }
      return ms;
    });
    return { call: last.map(({ ms }) => ms), handler };
  }

  #call(command: Verb, containerId: string, netns: string): Promise<number> {
    return invokeAgent(this.#node, { command, containerId, netns, signal: this.#scope.signal });
  }
}
