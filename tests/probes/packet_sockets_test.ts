/** How many packet sockets VPP bears. Record: 0024. */
import { assert, assertEquals, assertRejects } from "@contiv/assert";
import { VppConnectionError } from "@contiv/vppapi";
import type { Lab } from "./lab/lab.ts";
import { probe } from "./lab/probe.ts";

/**
 * Makes frames wait on this many sockets at once, by stopping VPP while they come in.
 * @returns VPP's process ID
 */
async function crowd(lab: Lab, sockets: number): Promise<number> {
  const pods = [];
  for (let i = 0; i < sockets; i++) {
    pods.push(await lab.pod(`p${i}`, [`10.1.0.${i + 2}`], { cnat: false }));
  }
  const { vpe_pid } = await lab.vpp.request("control_ping");
  Deno.kill(vpe_pid, "SIGSTOP");
  for (const pod of pods) pod.send(new Uint8Array(64));
  await new Promise((resolve) => setTimeout(resolve, 50));
  Deno.kill(vpe_pid, "SIGCONT");
  return vpe_pid;
}

const ping = (lab: Lab): Promise<unknown> =>
  lab.vpp.request("control_ping", {}, { timeoutMs: 3_000 });

probe("VPP goes on when frames wait on 15 packet sockets", async (lab) => {
  await crowd(lab, 15);
  await ping(lab);
});

probe("VPP never answers again once frames wait on 16 packet sockets", async (lab) => {
  const pid = await crowd(lab, 16);
  const error = await assertRejects(() => ping(lab), VppConnectionError);
  assertEquals(error.code, "timeout");
  const text = await Deno.readTextFile(`/proc/${pid}/stat`);
  assert(/^\d+ \(\S+\) R /.test(text), `it does not run in a circle: ${text}`);
});
