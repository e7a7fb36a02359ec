/** Packets of every size between nodes and beyond: what fits goes through, what does not is told. */
import { assert, assertEquals, assertMatch } from "@contiv/assert";
import { Libc, NetNs, RtNetlink } from "@contiv/libc";
import { IpAddress } from "@contiv/net";
import { Cluster } from "../deploy/sandbox/cluster.ts";
import { INTERNET } from "../deploy/sandbox/fabric.ts";
import { ProbeServer } from "../deploy/sandbox/probe/mod.ts";
import { removeIfThere } from "./support/remove_if_there.ts";
import { dataPlaneTest } from "./support/requires.ts";
import { run } from "./support/run_command.ts";
import { until } from "./support/until.ts";

const PORT = 7_777;
/** Octets sent there and back: hundreds of segments that the kernel hands over unsegmented. */
const BULK = 4 * 1024 * 1024;
/** Octets before a ping's payload. */
const HEADERS = { 4: 20 + 8, 6: 40 + 8 } as const;

const WAYS = [
  { name: "in tunnels", mtu: 1500, config: {}, pod: 1450 },
  { name: "in tunnels over IPv6", mtu: 1500, config: { underlay: "ipv6" }, pod: 1430 },
  { name: "in tunnels over jumbo frames", mtu: 9000, config: {}, pod: 8950 },
  { name: "without tunnels", mtu: 1500, config: { transport: "none" }, pod: 1500 },
] as const;

/** As ethtool takes it: a device whose driver leaves everything to the kernel. */
const WITHOUT_OFFLOADS = ["tx", "off", "sg", "off", "tso", "off", "tx-udp-segmentation", "off"];

let counter = 0;

for (const { name, mtu, config, pod } of WAYS) {
  dataPlaneTest(`packets of every size find their way ${name}`, async (dataPlane, t) => {
    using libc = Libc.open();
    const directory = Deno.makeTempDirSync({ prefix: "contiv-cluster-" });
    try {
      await using cluster = await Cluster.create(libc, {
        name: `m${Deno.pid}-${counter++}`,
        directory,
        nodes: 2,
        dataPlane,
        config,
        mtu,
        progress: () => {},
        signal: AbortSignal.timeout(60_000),
      });
      const a = await cluster.addPod("node1", "a");
      const b = await cluster.addPod("node2", "b");
      const internet = { netns: cluster.fabric.internetNetns };
      await until("a reaches b", async () => (await ping(a, b.addresses[0] ?? "", 8)).ok);

      await t.step("a pod's device has what fits", () => {
        for (const { netns } of [a, b]) {
          using namespace = NetNs.open(libc, netns);
          using netlink = RtNetlink.open(libc, namespace);
          assertEquals(netlink.link("eth0")?.mtu, pod);
        }
      });

      await t.step("what just fits goes through whole", async () => {
        for (const address of [...b.addresses, ...far(dataPlane.kind)]) {
          const { ok, text } = await ping(a, address, pod - headersOf(address), "do");
          assert(ok, text);
        }
      });

      await t.step("what may be cut arrives", async () => {
        for (const address of b.addresses) {
          const { ok, text } = await ping(a, address, 20_000, "dont");
          assert(ok, text);
        }
      });

      if (mtu > pod) {
        await t.step("who sends too much from outside is told what fits", async () => {
          for (const address of a.addresses) {
            const { ok, text } = await ping(internet, address, mtu - headersOf(address), "do");
            assertEquals(ok, false, text);
            // VPP translates its own IPv4 error, which then names no packet of the sender's (0031).
            const named = dataPlane.kind === "embedded" || address.includes(":");
            if (named) assertMatch(text, new RegExp(`mtu ?= ?${pod}`));
          }
        });
      }

      await t.step("a stream arrives as it was sent", async () => {
        for (const address of b.addresses.map((text) => IpAddress.parse(text))) {
          await using _server = ProbeServer.open(libc, NetNs.open(libc, b.netns), [address], PORT);
          assertEquals(await echoed(libc, a.netns, address), BULK);
        }
      });

      await t.step(
        "a stream arrives over uplinks that neither cut frames nor sum them",
        async () => {
          const uplinks = ["node1", "node2"].map((name) => cluster.node(name).record.node.netns);
          for (const netns of uplinks) {
            await run("nsenter", [`--net=${netns}`, "ethtool", "-K", "eth0", ...WITHOUT_OFFLOADS]);
          }
          const before = await sentFrames(uplinks[0]);
          for (const address of b.addresses.map((text) => IpAddress.parse(text))) {
            await using _server = ProbeServer.open(
              libc,
              NetNs.open(libc, b.netns),
              [address],
              PORT,
            );
            assertEquals(await echoed(libc, a.netns, address), BULK);
          }
          // So it was really the kernel that cut them.
          assert(await sentFrames(uplinks[0]) - before >= 2 * Math.floor(BULK / mtu));
        },
      );
    } finally {
      removeIfThere(directory);
    }
  });
}

/** Whom pods ping on the internet: VPP has no answers to IPv6 echoes from there (record 0031). */
function far(kind: "embedded" | "vpp"): readonly string[] {
  return kind === "vpp" ? INTERNET.slice(0, 1) : INTERNET;
}

function headersOf(address: string): number {
  return HEADERS[IpAddress.parse(address).family];
}

async function ping(
  { netns }: { readonly netns: string },
  address: string,
  size: number,
  cut: "do" | "dont" = "dont",
): Promise<{ readonly ok: boolean; readonly text: string }> {
  const ping = ["ping", "-n", "-c", "1", "-W", "2", "-M", cut, "-s", String(size), address];
  const { code, stdout, stderr } = await run("nsenter", [`--net=${netns}`, ...ping], {
    check: false,
  });
  return { ok: code === 0, text: stdout + stderr };
}

/** How many frames have left by a node's uplink. */
async function sentFrames(netns: string | undefined): Promise<number> {
  const { stdout } = await run("nsenter", [
    `--net=${netns}`,
    ..."ip -s -j link show eth0".split(" "),
  ]);
  const [link] = JSON.parse(stdout) as [{ stats64: { tx: { packets: number } } }];
  return link.stats64.tx.packets;
}

/** How many octets of a stream come back right. */
async function echoed(libc: Libc, netns: string, address: IpAddress): Promise<number> {
  using namespace = NetNs.open(libc, netns);
  const signal = AbortSignal.timeout(30_000);
  const [connecting] = namespace.run(() => [
    Deno.connect({ hostname: address.toString(), port: PORT, autoSelectFamily: false, signal }),
  ]);
  using connection = await connecting;
  if (connection === undefined) return 0;
  const limit = setTimeout(() => connection.close(), 20_000);
  const sent = Uint8Array.from({ length: BULK }, (_, i) => i * 31 + (i >> 11));
  const writing = (async () => {
    for (let at = 0; at < BULK;) at += await connection.write(sent.subarray(at));
  })();
  let right = 0;
  const part = new Uint8Array(65_536);
  while (right < BULK) {
    const count = await connection.read(part);
    if (count === null || part.subarray(0, count).some((octet, i) => octet !== sent[right + i])) {
      break;
    }
    right += count;
  }
  clearTimeout(limit);
  await writing;
  return right;
}
