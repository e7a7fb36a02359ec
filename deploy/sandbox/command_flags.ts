import { type CommandContext, type FlagSpec, type parseFlags, UsageError } from "@contiv/cli";
import type { ClusterOptions } from "./cluster.ts";
import { type DataPlaneChoice, VPP_TRANSPORTS } from "./data_plane.ts";
import { MAX_REPLICAS } from "./workloads/mod.ts";
import { pluginsOf } from "./vpp_data_plane.ts";

/** Flags of `contiv sandbox`. */
export const FLAGS = {
  name: { type: "string", default: "default", value: "NAME", help: "which sandbox" },
  nodes: { type: "string", value: "N", help: "up, demo: how many nodes (up: 1, demo: 2)" },
  pods: { type: "string", default: "3", value: "N", help: "up, demo: how many pods to wire" },
  node: { type: "string", value: "NODE", help: "add: the pod's node; else that with the fewest" },
  vswitch: {
    type: "string",
    default: "embedded",
    value: "KIND",
    help: "up, demo: what forwards, embedded or vpp",
  },
  vpp: {
    type: "string",
    value: "PATH",
    help: "the vpp binary; else $CONTIV_VPP, else /usr/bin/vpp",
  },
  "vpp-plugins": {
    type: "string",
    value: "DIR",
    help: "VPP's plugins; else where its installation has them",
  },
  "vpp-transport": {
    type: "string",
    default: "auto",
    value: "WAY",
    help: `up, demo: how the agent talks to VPP, ${VPP_TRANSPORTS.join(", ")}`,
  },
  store: {
    type: "string",
    default: "embedded",
    value: "KIND",
    help: "several nodes: what keeps their state, embedded (contiv store) or etcd",
  },
  transport: {
    type: "string",
    default: "vxlan",
    value: "WAY",
    help: "several nodes: how packets go between them, vxlan or none (plain routing)",
  },
  underlay: {
    type: "string",
    default: "ipv4",
    value: "FAMILY",
    help: "several nodes: the tunnels' addresses, ipv4 or ipv6",
  },
  mtu: { type: "string", default: "1500", value: "BYTES", help: "several nodes: of their uplinks" },
  file: {
    type: "strings",
    short: "f",
    value: "PATH",
    help: "apply, delete: a manifest, a directory of them, or - for standard input",
  },
  namespace: {
    type: "string",
    short: "n",
    value: "NAMESPACE",
    help: "of pods, and of objects whose manifests name none (default default)",
  },
  replicas: { type: "string", value: "N", help: "scale: how many pods there are to be" },
  keep: { type: "boolean", help: "demo: leave the sandbox running" },
  help: { type: "boolean", help: "this text" },
} as const satisfies Record<string, FlagSpec>;

/** The command line, read. */
export type Flags = ReturnType<typeof parseFlags<typeof FLAGS>>;

/** What forwards. @throws {UsageError} */
export function chosenDataPlane({ flags }: Flags, { env }: CommandContext): DataPlaneChoice {
  if (flags.vswitch === "embedded") return { kind: "embedded" };
  if (flags.vswitch !== "vpp") {
    throw new UsageError(`--vswitch ${JSON.stringify(flags.vswitch)}: wanted embedded or vpp`);
  }
  const transport = VPP_TRANSPORTS.find((way) => way === flags["vpp-transport"]);
  if (transport === undefined) {
    const wanted = VPP_TRANSPORTS.join(", ");
    throw new UsageError(`--vpp-transport ${flags["vpp-transport"]}: wanted one of ${wanted}`);
  }
  const binary = flags.vpp ?? env.get("CONTIV_VPP") ?? "/usr/bin/vpp";
  try {
    return { kind: "vpp", binary, plugins: flags["vpp-plugins"] ?? pluginsOf(binary), transport };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new UsageError(`--vpp ${JSON.stringify(binary)}: wanted the path of a vpp binary`);
    }
    throw error;
  }
}

/** The pods to wire. @throws {UsageError} */
export function podNames({ flags }: Flags): string[] {
  return Array.from({ length: numberOf("pods", flags.pods, 0, 250) }, (_, i) => `pod${i + 1}`);
}

/** The one pod a verb is about. @throws {UsageError} */
export function onePod(verb: string, operands: readonly string[]): string {
  const [pod, ...more] = operands;
  if (pod === undefined || more.length > 0) {
    throw new UsageError(`${verb} takes one pod, got ${operands.length}`);
  }
  return pod;
}

/** How many pods a workload is to have. @throws {UsageError} */
export function replicaCount({ flags }: Flags): number {
  if (flags.replicas === undefined) throw new UsageError("scale: --replicas N wanted");
  return numberOf("replicas", flags.replicas, 0, MAX_REPLICAS);
}

/** How many nodes. @throws {UsageError} */
export function nodeCount(text: string): number {
  return numberOf("nodes", text, 1, 200);
}

/** What a cluster is to be like. @throws {UsageError} */
export function clusterChoices(
  { flags }: Flags,
): Required<Pick<ClusterOptions, "store" | "config" | "mtu">> {
  return {
    store: oneOf("store", flags.store, ["embedded", "etcd"]),
    config: {
      transport: oneOf("transport", flags.transport, ["vxlan", "none"]),
      underlay: oneOf("underlay", flags.underlay, ["ipv4", "ipv6"]),
    },
    mtu: numberOf("mtu", flags.mtu, 1_400, 9_000),
  };
}

function oneOf<Word extends string>(flag: string, text: string, words: readonly Word[]): Word {
  const word = words.find((each) => each === text);
  if (word === undefined) {
    throw new UsageError(`--${flag} ${JSON.stringify(text)}: wanted ${words.join(" or ")}`);
  }
  return word;
}

function numberOf(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d{1,5}$/.test(text) || value < least || value > most) {
    throw new UsageError(
      `--${flag} ${JSON.stringify(text)}: wanted a number from ${least} to ${most}`,
    );
  }
  return value;
}
