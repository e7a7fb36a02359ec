import type { CommandContext } from "@contiv/cli";
import { type Libc, NetNs } from "@contiv/libc";
import { IpAddress } from "@contiv/net";
import { VppClient } from "@contiv/vppapi";
import type { DataPlaneChoice } from "./data_plane.ts";
import { summarize, verdict } from "./matrix_summary.ts";
import { measureMatrix, probe } from "./probe/mod.ts";
import { Sandbox } from "./sandbox.ts";
import type { PodRecord, SandboxState } from "./state.ts";
import { renderTable } from "@contiv/cli/table.ts";

export interface DemoOptions {
  readonly name: string;
  /** The directory that network namespaces are named in. */
  readonly namespaces: string;
  readonly dataPlane: DataPlaneChoice;
  /** Whether to leave the sandbox running. */
  readonly keep: boolean;
  readonly pods: readonly string[];
}

/**
 * One node and some pods: wires them, measures every path, traces a packet, and cleans up, also
 * after a failure or a signal.
 *
 * @returns whether every cell of the matrix was right
 */
export async function demo(
  libc: Libc,
  state: SandboxState,
  options: DemoOptions,
  context: CommandContext,
): Promise<boolean> {
  const { stdout, signal } = context;
  const start = performance.now();
  const seconds = (): string => ((performance.now() - start) / 1000).toFixed(1).padStart(5);
  const progress = (message: string): void => stdout.write(`${seconds()} s  ${message}\n`);

  const { name, namespaces, dataPlane } = options;
  const sandbox = await Sandbox.create(libc, state, {
    name,
    namespaces,
    dataPlane,
    progress,
    signal,
  });
  let kept = false;
  try {
    const pods: PodRecord[] = [];
    for (const name of options.pods) {
      signal.throwIfAborted();
      const before = performance.now();
      pods.push(await sandbox.addPod(name));
      progress(`${name}: wired by contiv cni in ${(performance.now() - before).toFixed(0)} ms`);
    }
    progress("measuring every path, one attempt of 1 s each");
    const summary = summarize(await measureMatrix(libc, pods));
    signal.throwIfAborted();
    stdout.write(`\n${podTable(pods)}\n${summary.table}\n`);
    stdout.write(await traceOnePacket(libc, sandbox, pods));
    progress(verdict(summary));
    if (options.keep) {
      kept = true;
      stdout.write(whatToTry(options, pods));
    }
    return summary.wrong.length === 0;
  } finally {
    if (!kept) {
      await sandbox.down(progress);
      progress("all removed");
    }
  }
}

/** Where a pod's packet enters the data plane: over a TAP or over a packet socket. */
const INPUT_NODES = ["virtio-input", "af-packet-input"];

/** A row a pod. */
export function podTable(pods: readonly PodRecord[]): string {
  return renderTable([
    ["POD", "ADDRESSES", "INTERFACE", "NAMESPACE"],
    ...pods.map((pod) => [pod.name, pod.addresses.join(", "), pod.interface, pod.netns]),
  ]);
}

/** Has the data plane trace one ping and gives its words, indented. */
export async function traceOnePacket(
  libc: Libc,
  sandbox: Sandbox,
  pods: readonly PodRecord[],
): Promise<string> {
  const [from, to] = pods;
  const address = to?.addresses[0];
  if (from === undefined || to === undefined || address === undefined) return "";
  await using vpp = await VppClient.connect({ path: sandbox.sockets.vpp, name: "contiv-sandbox" });
  for (const node of INPUT_NODES) {
    await vpp.requestRaw("cli_inband", { cmd: `trace add ${node} 1` });
  }
  using netns = NetNs.open(libc, from.netns);
  await probe(libc, netns, {
    protocol: "icmp",
    address: IpAddress.parse(address),
    port: 0,
    limitMs: 1_000,
  });
  const { reply } = await vpp.request("cli_inband", { cmd: "show trace" });
  const lines = reply.trimEnd().split("\n").map((line) => `  ${line}`.trimEnd());
  return `One ping from ${from.name} to ${to.name} (${address}), as the data plane saw it:\n` +
    `${lines.join("\n")}\n\n`;
}

function whatToTry({ name }: DemoOptions, pods: readonly PodRecord[]): string {
  const [first, second] = pods;
  const flag = name === "default" ? "" : ` --name ${name}`;
  return `
The sandbox is left running. What to try:
  contiv sandbox status${flag}
  contiv sandbox exec${flag} ${first?.name} -- ping -c 3 ${second?.addresses[0]}
  contiv sandbox exec${flag} ${first?.name} -- ip address
  contiv sandbox down${flag}
`;
}
