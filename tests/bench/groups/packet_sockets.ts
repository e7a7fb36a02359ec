import type { NetNs } from "@contiv/libc";
import { AfPacketFlags, AfPacketMode, IfStatusFlags, RxMode, VppClient } from "@contiv/vppapi";
import { Target } from "../../conformance/target.ts";
import { run } from "../../support/run_command.ts";
import { vppChoice, WITHOUT_VPP } from "../../support/requires.ts";
import { alternate, type Subject } from "../alternate.ts";
import { BenchScope } from "../bench_scope.ts";
import type { Figure } from "../figure.ts";
import type { Group, GroupOptions } from "../group.ts";
import { kernelBridge, type Path } from "../kernel_bridge.ts";
import { podPath } from "../pod_path.ts";
import { quantile } from "../quantile.ts";
import { measurePing, measureTcp, serveTraffic } from "../traffic.ts";

const ROUNDS = 5;
const SECONDS = 2;
const PINGS = 100;
const BRIDGE = "kernel bridge";
const EMBEDDED = "embedded vswitch, TAP";

/**
 * How VPP opens its packet sockets; what is undefined is VPP's default. Without CKSUM_GSO it passes
 * on the checksums that the kernel has left unfinished, so containers must finish them themselves.
 */
interface Tuning {
  readonly name: string;
  readonly flags: number;
  readonly frames?: { readonly rx: number; readonly tx: number };
  /** Whether VPP's thread asks the ring all the time in place of waiting for it. */
  readonly polling?: boolean;
}

const { CKSUM_GSO, QDISC_BYPASS, VERSION_2 } = AfPacketFlags;
/** Octets of a frame of a ring that holds 64 KB and its headers. */
const FRAME_SIZE = 33 * 2_048;
const SMALL = { rx: 128, tx: 64 };

/** What is measured in turns with the others. */
interface Lane {
  readonly path: Path;
  /** Makes the lane ready for one sample, and undoes that. */
  around?(measure: () => Promise<number>): Promise<number>;
}

/** One step after the other, from VPP's defaults to what the agent asks for. */
const TUNINGS: readonly Tuning[] = [
  { name: "VPP's defaults", flags: 0 },
  { name: "+ checksums and GSO", flags: CKSUM_GSO },
  { name: "+ ring version 2", flags: CKSUM_GSO | VERSION_2 },
  { name: "+ small rings", flags: CKSUM_GSO | VERSION_2, frames: SMALL },
  {
    name: "+ no qdisc (the agent's)",
    flags: CKSUM_GSO | VERSION_2 | QDISC_BYPASS,
    frames: SMALL,
  },
  {
    name: "+ polling",
    flags: CKSUM_GSO | VERSION_2 | QDISC_BYPASS,
    frames: SMALL,
    polling: true,
  },
];

/** Two containers on VPP by veth pairs and packet sockets, one tuning after the other. */
export const packetSocketsGroup: Group = {
  name: "af_packet",
  help: "VPP on packet sockets, step by step tuned; peer: a kernel bridge with veth pairs",
  async run({ signal, rounds = ROUNDS, progress }: GroupOptions): Promise<Figure[]> {
    const choice = vppChoice();
    if (choice === undefined) {
      progress(`skipped: ${WITHOUT_VPP}`);
      return [];
    }
    await using scope = new BenchScope(signal);
    const target = scope.use(await Target.start(choice));
    const path = target.apiSocket;
    const vpp = scope.use(await VppClient.connect({ path, name: "bench", signal }));
    const lanes: Record<string, Lane> = { [BRIDGE]: { path: await kernelBridge(scope) } };
    for (const [index, tuning] of TUNINGS.entries()) {
      lanes[tuning.name] = await packetSockets(scope, target, vpp, index, tuning);
    }
    lanes[EMBEDDED] = { path: await podPath(scope) };
    for (const lane of Object.values(lanes)) await serveTraffic(scope, lane.path);
    const measure = async (
      what: string,
      unit: string,
      sample: (path: Path) => Promise<number>,
    ): Promise<Figure[]> => {
      progress(what);
      const subjects = Object.entries(lanes).map(([name, lane]): [string, Subject] => {
        const measure = (): Promise<number> => sample(lane.path);
        return [name, () => lane.around?.(measure) ?? measure()];
      });
      const options = { rounds, warmUp: 0, signal };
      const samples = await alternate(Object.fromEntries(subjects), options);
      const series = (name: string) => ({ name, samples: samples[name] ?? [] });
      const better = unit === "ms" ? "less" as const : "more" as const;
      return [...TUNINGS.map(({ name }) => name), EMBEDDED].map((name) => ({
        what,
        unit,
        better,
        ours: series(name),
        peer: series(BRIDGE),
      }));
    };
    const options = { seconds: SECONDS, streams: 1, reverse: false };
    return [
      ...await measure("TCP, 1 stream", "Gbit/s", (each) => measureTcp(each, options, signal)),
      ...await measure(
        `ping, p50 of ${PINGS}`,
        "ms",
        async (each) => quantile(await measurePing(each, PINGS, signal), 0.5),
      ),
    ];
  },
};

/** Two namespaces whose packets VPP routes. */
async function packetSockets(
  scope: BenchScope,
  target: Target,
  vpp: VppClient,
  index: number,
  { flags, frames, polling = false }: Tuning,
): Promise<Lane> {
  const node = ["nsenter", `--net=${target.namespace}`, "--"];
  const ends: { readonly ns: NetNs; readonly address: string; readonly sw_if_index: number }[] = [];
  for (const side of [1, 2]) {
    const pod = scope.namespace();
    const [device, subnet] = [`bench${index}x${side}`, `10.98.${2 * index + side}`];
    const ip = async (...commands: string[]): Promise<void> => {
      for (const each of commands) await run("ip", ["-netns", pod.name, ...each.split(" ")]);
    };
    const link = `link add ${device} mtu 1500 type veth peer eth0 mtu 1500 netns ${pod.name}`;
    for (const each of [link, `link set ${device} up`]) {
      await run("nsenter", [...node.slice(1), "ip", ...each.split(" ")]);
    }
    await ip("link set lo up", "link set eth0 up", `address add ${subnet}.2/24 dev eth0`);
    await ip(`route add 10.98.0.0/16 via ${subnet}.1`);
    if ((flags & CKSUM_GSO) === 0) {
      await run("ip", ["netns", "exec", pod.name, "ethtool", "-K", "eth0", "tx", "off"]);
    }
    const size = frames && { rx_frame_size: FRAME_SIZE, tx_frame_size: FRAME_SIZE };
    const { sw_if_index } = await vpp.request("af_packet_create_v3", {
      mode: AfPacketMode.ETHERNET,
      use_random_hw_addr: true,
      host_if_name: device,
      ...size,
      rx_frames_per_block: frames?.rx ?? 0,
      tx_frames_per_block: frames?.tx ?? 0,
      num_rx_queues: 1,
      num_tx_queues: 1,
      flags,
    });
    const un = new Uint8Array(16);
    un.set([...subnet.split(".").map(Number), 1]);
    await vpp.request("sw_interface_set_flags", { sw_if_index, flags: IfStatusFlags.ADMIN_UP });
    const prefix = { address: { af: 0, un }, len: 24 };
    await vpp.request("sw_interface_add_del_address", { is_add: true, sw_if_index, prefix });
    ends.push({ ns: pod.ns, address: `${subnet}.2`, sw_if_index });
  }
  const [from, to] = ends;
  if (from === undefined || to === undefined) throw new Error("Cannot bench: no two pods");
  const path = { from: from.ns, to: to.ns, address: to.address };
  if (!polling) return { path };
  const setMode = async (mode: number): Promise<void> => {
    for (const { sw_if_index } of ends) {
      await vpp.request("sw_interface_set_rx_mode", { sw_if_index, mode });
    }
  };
  return {
    path,
    // A thread that polls leaves the other lanes half of the processors: only while it is measured.
    async around(measure: () => Promise<number>): Promise<number> {
      await setMode(RxMode.POLLING);
      try {
        return await measure();
      } finally {
        await setMode(RxMode.INTERRUPT);
      }
    },
  };
}
