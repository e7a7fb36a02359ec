import type { BenchScope } from "./bench_scope.ts";
import type { Path } from "./kernel_bridge.ts";
import { runProgram, serveProgram } from "./program.ts";

const PORT = "5201";

export interface StreamOptions {
  readonly seconds: number;
  readonly streams: number;
  /** Whether the target sends. */
  readonly reverse: boolean;
}

/** Starts iperf3's server at the path's end; it ends with the scope. */
export async function serveTraffic(scope: BenchScope, { from, to, address }: Path): Promise<void> {
  const { signal } = scope;
  scope.use(serveProgram({ command: ["iperf3", "-s", "-p", PORT], ns: to, signal }));
  const deadline = performance.now() + 5_000;
  while (true) {
    try {
      const command = ["iperf3", "-c", address, "-p", PORT, "-n", "1K", "--connect-timeout", "500"];
      await runProgram({ command, ns: from, signal });
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** TCP throughput as it arrives, in Gbit/s. */
export async function measureTcp(
  path: Path,
  { seconds, streams, reverse }: StreamOptions,
  signal: AbortSignal,
): Promise<number> {
  const args = ["-P", String(streams), ...reverse ? ["-R"] : []];
  const { sum_received } = await iperf<{ sum_received: { bits_per_second: number } }>(
    path,
    seconds,
    args,
    signal,
  );
  return sum_received.bits_per_second / 1e9;
}

/**
 * UDP datagrams that arrive when as many are sent as the sender can, per second.
 * @param octets of each datagram's payload
 */
export async function measureUdp(
  path: Path,
  octets: number,
  seconds: number,
  signal: AbortSignal,
): Promise<number> {
  const { sum } = await iperf<{ sum: { packets: number; lost_packets: number; seconds: number } }>(
    path,
    seconds,
    ["-u", "-l", String(octets), "-b", "0"],
    signal,
  );
  return (sum.packets - sum.lost_packets) / sum.seconds;
}

/** Round trip times of pings 10 ms apart, in milliseconds. */
export async function measurePing(
  { from, address }: Path,
  count: number,
  signal: AbortSignal,
): Promise<number[]> {
  const command = ["ping", "-n", "-i", "0.01", "-c", String(count), "-W", "1", address];
  const { stdout } = await runProgram({ command, ns: from, signal });
  const times = Array.from(stdout.matchAll(/time=([\d.]+) ms/g), ([, ms]) => Number(ms));
  if (times.length < count * 0.9) {
    throw new Error(`Cannot measure: ${times.length} of ${count} pings to ${address} answered`);
  }
  return times;
}

/** Runs iperf3's client and reads the end of its report. */
async function iperf<T>(
  { from, address }: Path,
  seconds: number,
  args: readonly string[],
  signal: AbortSignal,
): Promise<T> {
  const command = ["iperf3", "-c", address, "-p", PORT, "-t", String(seconds), "-J", ...args];
  const { stdout } = await runProgram({ command, ns: from, signal });
  const { end, error } = JSON.parse(stdout) as { end: T; error?: string };
  if (error !== undefined) throw new Error(`Cannot measure: iperf3 says ${error}`);
  return end;
}
