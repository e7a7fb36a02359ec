import { assert, assertEquals } from "@contiv/assert";
import { Libc, NetNs, RtNetlink } from "@contiv/libc";
import { IpAddress } from "@contiv/net";
import { probe, type ProbeResult, ProbeServer } from "../../deploy/sandbox/probe/mod.ts";
import { systemTest } from "../support/requires.ts";
import { until } from "../support/until.ts";
import { SlowWires } from "./slow_wires.ts";

const ADDRESSES = ["192.0.2.1", "192.0.2.2"].map(IpAddress.parse);
const PORT = 7_007;
const DELAY_MS = 40;

systemTest("on slow wires every packet takes its time, and gets there whole", async () => {
  using libc = Libc.open();
  const path = (name: string): string => `/run/netns/slow-${Deno.pid}-${name}`;
  const names = ["bridge", "0", "1"];
  try {
    const [middle, ...ends] = names.map((name) => NetNs.create(libc, path(name)));
    await using stack = new AsyncDisposableStack();
    for (const each of [middle!, ...ends]) stack.use(each);
    const netlink = stack.use(RtNetlink.open(libc, middle!));
    netlink.createBridge("bridge");
    const master = netlink.link("bridge")!.index;
    netlink.setLink(master, { up: true });
    for (const [i, end] of ends.entries()) {
      netlink.createVeth({ name: `port${i}`, peer: { name: "eth0", ns: end } });
      netlink.setLink(netlink.link(`port${i}`)!.index, { master, up: true });
      using inside = RtNetlink.open(libc, end);
      for (const name of ["lo", "eth0"]) inside.setLink(inside.link(name)!.index, { up: true });
      const { index } = inside.link("eth0")!;
      inside.addAddress({ index, address: ADDRESSES[i]!, prefixLength: 24 });
    }
    stack.use(ProbeServer.open(libc, ends[1]!, [ADDRESSES[1]!], PORT));
    const ask = (protocol: "icmp" | "tcp"): Promise<ProbeResult> =>
      probe(libc, ends[0]!, { protocol, address: ADDRESSES[1]!, port: PORT, limitMs: 5_000 });
    await until("the bridge forwards", async () => (await ask("icmp")).ok);

    const wires = await SlowWires.open(libc, {
      netns: path("bridge"),
      bridge: "bridge",
      ports: ["port0", "port1"],
      delayMs: DELAY_MS,
    });
    stack.use(wires);
    for (const protocol of ["icmp", "tcp"] as const) {
      const { milliseconds, ok, reason } = await ask(protocol);
      assert(ok, `${protocol}: ${reason}`);
      // There and back, by two wires each, each at least half of the delay.
      assert(milliseconds >= 4 * DELAY_MS / 2, `${protocol} took ${milliseconds} ms`);
    }
    await wires[Symbol.asyncDispose]();
    await until("the bridge forwards again", async () => (await ask("tcp")).ok);
    const links = netlink.links().map(({ name }) => name).sort();
    assertEquals(links, ["bridge", "lo", "port0", "port1"]);
  } finally {
    for (const name of names) NetNs.remove(libc, path(name));
  }
});
