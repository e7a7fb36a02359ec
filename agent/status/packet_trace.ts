import type { VppClient } from "@contiv/vppapi";

/** Nodes by which packets come into VPP: over TAP, packet socket and DPDK. */
const INPUT_NODES = ["virtio-input", "af-packet-input", "dpdk-input"] as const;
/** Packets that one trace takes at most: VPP keeps all of them in memory. */
export const MAX_TRACED = 1_000;

/**
 * Has the data plane forget what it traced, and trace the next packets that come in, whosesoever
 * they are. A trace costs each of these packets some microseconds, and nothing once they are through.
 */
export async function armTrace(vpp: VppClient, packets: number): Promise<void> {
  await vpp.requestRaw("cli_inband", { cmd: "clear trace" });
  for (const node of INPUT_NODES) {
    // One that a plugin brings may be absent.
    await vpp.requestRaw("cli_inband", { cmd: `trace add ${node} ${packets}` });
  }
}

/** What was traced since, as VPP's `show trace` prints it. */
export async function readTrace(vpp: VppClient): Promise<string> {
  const { reply } = await vpp.request("cli_inband", { cmd: `show trace max ${MAX_TRACED}` });
  return reply;
}
