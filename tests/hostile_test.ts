/** What a container may do to its neighbours. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@contiv/assert";
import { type Link, NetNs, PacketSocket, RtNetlink } from "@contiv/libc";
import {
  arpPacket,
  ethernetFrame,
  EtherType,
  ip4Packet,
  ip6Packet,
  IpAddress,
  IpProtocol,
  MacAddress,
  neighborPacket,
  udpDatagram,
} from "@contiv/net";
import { callUnary, CNI_INVOKE_PATH, RpcCode, RpcError } from "@contiv/rpc";
import { VppClient } from "@contiv/vppapi";
import type { CniCall } from "../deploy/sandbox/cni_plugin.ts";
import type { PodRecord } from "../deploy/sandbox/state.ts";
import { addresses, call, success } from "./support/cni_calls.ts";
import { type Flood, FLOODS } from "./support/flood_frames.ts";
import { readDataPlane } from "./support/leftovers.ts";
import { RawSocket, sourceOf } from "./support/raw_socket.ts";
import { dataPlaneTest, EMBEDDED, systemTest } from "./support/requires.ts";
import { ScratchNetns } from "./support/scratch_netns.ts";
import { TestNode } from "./support/test_node.ts";
import { until } from "./support/until.ts";

/** The gateway's MAC address, as a container's permanent neighbour has it. */
async function gatewayMac(node: TestNode, pod: PodRecord): Promise<string> {
  const { stdout } = await node.inPod(pod, ["ip", "-4", "neigh", "show", "dev", "eth0"]);
  const mac = /lladdr (\S+)/.exec(stdout)?.[1];
  if (mac === undefined) throw new Error(`Cannot find the gateway among: ${stdout}`);
  return mac;
}

/** The part of their throughput that others keep at least. */
const KEPT = 0.8;
/** Rounds for it: machines that run tests are noisy, and noise only ever takes. */
const ROUNDS = { least: 3, most: 8 };

/** An interface of the flooding container that leads nowhere. */
const SINK = "sink";

/** Connects as soon as the server's queue has a place. */
async function connect(path: string): Promise<Deno.UnixConn> {
  for (let tries = 1;; tries++) {
    try {
      return await Deno.connect({ transport: "unix", path });
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock) || tries === 1_000) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

/** Starts a flood by a pod, of less priority than what it is to disturb: this machine is small. */
async function startFlood(
  node: TestNode,
  flood: Flood,
  from: PodRecord,
  to: PodRecord,
  device = "eth0",
): Promise<AsyncDisposable> {
  const program = new URL("./support/flood.ts", import.meta.url).pathname;
  const [own = "", gateway = "", target = ""] = [
    from.addresses[0],
    from.gateways[0],
    to.addresses[0],
  ];
  const child = new Deno.Command("nsenter", {
    args: [
      `--net=${from.netns}`,
      "--",
      "nice",
      "-n",
      "19",
      Deno.execPath(),
      "run",
      "--allow-all",
      "--no-check",
      program,
      ...[flood, device, await gatewayMac(node, from), own, gateway, target],
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  assertEquals(new TextDecoder().decode(value).trim(), "flooding");
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill("SIGKILL");
      await reader.cancel();
      await child.status;
    },
  };
}

/** TCP from one pod to another, in Gbit/s. */
async function throughput(node: TestNode, from: PodRecord, to: PodRecord): Promise<number> {
  const command = ["iperf3", "-J", "-t", "1", "-c", to.addresses[0] ?? ""];
  const { stdout } = await node.inPod(from, command);
  const report = JSON.parse(stdout) as { end: { sum_received: { bits_per_second: number } } };
  return report.end.sum_received.bits_per_second / 1e9;
}

systemTest(`others keep their throughput and their pings during floods ${EMBEDDED}`, async (t) => {
  await using node = await TestNode.start();
  const [villain, one, two] = [
    await node.sandbox.addPod("villain"),
    await node.sandbox.addPod("one"),
    await node.sandbox.addPod("two"),
  ];
  await using _server = new Deno.Command("nsenter", {
    args: [`--net=${two.netns}`, "--", "iperf3", "-s"],
    stdout: "null",
  }).spawn();
  await throughput(node, one, two).catch(() => {});
  // The sender's own work is not the switch's: it is there in the quiet rounds, too.
  await node.inPod(villain, ["ip", "link", "add", SINK, "up", "type", "bridge"]);
  for (const flood of FLOODS) {
    await t.step(flood, async () => {
      const quiet: number[] = [];
      const flooded: number[] = [];
      let ratio = 0;
      for (let round = 0; round < ROUNDS.most; round++) {
        if (round >= ROUNDS.least && ratio >= KEPT) break;
        {
          await using _idle = await startFlood(node, flood, villain, two, SINK);
          quiet.push(await throughput(node, one, two));
        }
        await using _flood = await startFlood(node, flood, villain, two);
        flooded.push(await throughput(node, one, two));
        ratio = Math.max(...flooded) / Math.max(...quiet);
        if (round === 0) {
          const ping = ["ping", "-q", "-c", "20", "-i", "0.02", "-W", "1", two.addresses[0] ?? ""];
          const { stdout } = await node.inPod(one, ping);
          assert(stdout.includes(" 0% packet loss"), stdout);
        }
      }
      assert(ratio >= KEPT, `${ratio.toFixed(2)} of the throughput is left, ${KEPT} wanted`);
    });
  }
  await t.step(
    "the switch has counted what it refused, and its tables have kept their bounds",
    async () => {
      await using vpp = await VppClient.connect({ path: node.sandbox.sockets.vpp, name: "test" });
      const { reply } = await vpp.request("cli_inband", { cmd: "show errors" });
      for (
        const reason of ["uRPF Drop", "ip4 ttl <= 1", "drops due to concurrent reassemblies limit"]
      ) {
        assertStringIncludes(reply, reason);
      }
      for (const af of [0, 1]) {
        const neighbours = await vpp.dump("ip_neighbor_dump", { af });
        assert(neighbours.length <= 50_000, `${neighbours.length} neighbours`);
      }
    },
  );
});

dataPlaneTest("a container speaks only from its own addresses", async (dataPlane, t) => {
  await using node = await TestNode.start(dataPlane);
  const [villain, victim] = [
    await node.sandbox.addPod("villain"),
    await node.sandbox.addPod("victim"),
  ];
  const gateway = MacAddress.parse(await gatewayMac(node, villain));
  using outside = NetNs.open(node.libc, villain.netns);
  using inside = NetNs.open(node.libc, victim.netns);
  const device = (namespace: NetNs): Link => {
    using netlink = RtNetlink.open(node.libc, namespace);
    const link = netlink.link("eth0");
    if (link === undefined) throw new Error("Cannot find eth0");
    return link;
  };
  const open = (namespace: NetNs): PacketSocket => {
    const { index } = device(namespace);
    const options = { index, vnetHeader: false, ignoreOutgoing: true };
    return namespace.run(() => PacketSocket.open(node.libc, options));
  };
  using sender = open(outside);
  using receiver = open(inside);
  const mac = device(outside).mac ?? gateway;
  const buffer = new Uint8Array(2_048);
  /** Marks of the datagrams that have arrived. */
  const arrived = (): number[] => {
    const marks: number[] = [];
    for (let length; (length = receiver.read(buffer)) > 0;) marks.push(buffer[length - 1] ?? 0);
    return marks;
  };
  const send = (source: string, destination: string, mark: number): void => {
    const payload = udpDatagram({
      source,
      destination,
      sourcePort: 1,
      destinationPort: 9,
      payload: Uint8Array.of(mark),
    });
    const packet = source.includes(":")
      ? ip6Packet({ source, destination, nextHeader: IpProtocol.UDP, payload })
      : ip4Packet({ source, destination, protocol: IpProtocol.UDP, payload });
    sender.write(
      Uint8Array.from(ethernetFrame({ source: mac, destination: gateway, payload: packet })),
    );
  };
  for (const family of [0, 1]) {
    const [own = "", target = ""] = [villain.addresses[family], victim.addresses[family]];
    const foreign = family === 0
      ? [target, villain.gateways[0] ?? "", "8.8.8.8", "0.0.0.0", "127.0.0.1"]
      : [target, villain.gateways[1] ?? "", "2001:db8::1", "::1", "fe80::1"];
    await t.step(own, async () => {
      arrived();
      for (const source of foreign) send(source, target, 66);
      send(own, target, 1);
      const seen: number[] = [];
      await until("the honest datagram arrives", () => {
        seen.push(...arrived());
        return seen.includes(1);
      });
      assert(!seen.includes(66), "a datagram with a foreign source arrived");
    });
  }
});

/** How often the data plane dropped a packet whose sender is not in its interface's list. */
async function foreignSenders(node: TestNode): Promise<readonly [ip4: number, ip6: number]> {
  await using vpp = await VppClient.connect({ path: node.sandbox.sockets.vpp, name: "test" });
  const { reply } = await vpp.request("cli_inband", { cmd: "show errors" });
  const count = (family: 4 | 6): number =>
    Number(new RegExp(`(\\d+) +ip${family}-inacl +input ACL misses`).exec(reply)?.[1] ?? 0);
  return [count(4), count(6)];
}

dataPlaneTest("a container that borrows MAC addresses gains nothing by it", async (dataPlane) => {
  await using node = await TestNode.start(dataPlane);
  const [villain, victim, peer] = [
    await node.sandbox.addPod("villain"),
    await node.sandbox.addPod("victim"),
    await node.sandbox.addPod("peer"),
  ];
  const gateway = MacAddress.parse(await gatewayMac(node, villain));
  using sender = new RawSocket(node, villain);
  using receiver = new RawSocket(node, victim);
  using witness = new RawSocket(node, peer);
  const before = await readDataPlane(node);
  const dropped = await foreignSenders(node);
  const [own = "", own6 = ""] = villain.addresses;
  const [target = "", target6 = ""] = victim.addresses;
  const broadcast = "ff:ff:ff:ff:ff:ff";
  const frame =
    (source: MacAddress | string, destination: MacAddress | string) =>
    (payload: Uint8Array, etherType?: number): void =>
      sender.send(ethernetFrame({
        ...{ source, destination, payload },
        ...etherType !== undefined && { etherType },
      }));
  /** A datagram to the victim from the villain's own address, which the mark is the last octet of. */
  const datagram = (family: 4 | 6, mark: number): Uint8Array => {
    const path = family === 4
      ? { source: own, destination: target }
      : { source: own6, destination: target6 };
    const ports = { sourcePort: 1, destinationPort: 9, payload: Uint8Array.of(mark) };
    const payload = udpDatagram({ ...path, ...ports });
    return family === 4
      ? ip4Packet({ ...path, protocol: IpProtocol.UDP, payload })
      : ip6Packet({ ...path, nextHeader: IpProtocol.UDP, payload });
  };
  const macs = [receiver.mac, gateway, MacAddress.parse("02:66:66:66:66:66")];
  for (const mac of macs) {
    // Its own datagrams under another MAC address, to the gateway and straight to its neighbour ...
    for (const family of [4, 6] as const) {
      frame(mac, gateway)(datagram(family, 66));
      frame(mac, receiver.mac)(datagram(family, 66));
    }
    // ... a question to the gateway ...
    const gateway6 = villain.gateways[1] ?? "";
    const asked = { destination: gateway6, target: gateway6, mac };
    frame(mac, gateway)(neighborPacket({ type: "solicitation", source: own6, ...asked }));
    // ... and the claim, in both families, that the neighbour's address is with it, or with nobody.
    for (const claimed of [sender.mac, mac]) {
      const claim = arpPacket({ senderMac: claimed, senderIp: target, targetIp: target });
      frame(mac, broadcast)(claim, EtherType.ARP);
      frame(mac, "33:33:00:00:00:01")(
        neighborPacket({
          ...{ type: "advertisement", source: own6, destination: "ff02::1" },
          ...{ target: target6, mac: claimed },
        }),
      );
    }
  }
  for (const family of [4, 6] as const) frame(sender.mac, gateway)(datagram(family, 77));
  const arrived: Uint8Array[] = [];
  const marks = (): readonly (number | undefined)[] => arrived.map((each) => each.at(-1));
  await until("the honest datagrams arrive", () => {
    arrived.push(...receiver.take());
    return marks().filter((mark) => mark === 77).length === 2;
  });
  for (const address of [target, target6]) {
    assert(await node.ping(peer, address), `${address} was taken over`);
  }
  arrived.push(...receiver.take());
  assert(!marks().includes(66), "a datagram under another MAC address arrived");
  const sources = [...arrived, ...witness.take()].map(sourceOf);
  assertEquals([...new Set(sources)], [gateway.toString()], "others see it");
  // What goes to the gateway's MAC address is for the list to drop: datagrams and the question.
  const now = await foreignSenders(node);
  assertEquals(now.map((count, i) => count - (dropped[i] ?? 0)), [macs.length, 2 * macs.length]);
  assertEquals(await readDataPlane(node), before);
  await using vpp = await VppClient.connect({ path: node.sandbox.sockets.vpp, name: "test" });
  const known: string[] = [];
  for (const [af, address] of [[0, target], [1, target6]] as const) {
    const all = await vpp.dump("ip_neighbor_dump", { sw_if_index: 0xffffffff, af });
    known.push(
      ...all.filter(({ neighbor }) =>
        IpAddress.from(neighbor.ip_address.un.subarray(0, af === 0 ? 4 : 16)).toString() === address
      ).map(({ neighbor }) => MacAddress.from(neighbor.mac_address).toString()),
    );
  }
  assertEquals(known, [receiver.mac.toString(), receiver.mac.toString()]);
});

dataPlaneTest("all addresses of a container with two interfaces are its own", async (dataPlane) => {
  await using node = await TestNode.start(dataPlane);
  const peer = await node.sandbox.addPod("peer");
  using netns = new ScratchNetns(node, "two");
  const add = (name: string): CniCall => ({ ...call("ADD", "two", netns), interface: name });
  const results = [
    success(await node.cni(add("eth0"))),
    success(await node.cni(add("net1"))),
  ];
  for (const address of results.flatMap(addresses).map((text) => text.replace(/\/.*/, ""))) {
    assert(await node.ping(peer, address), `${address} does not answer`);
  }
  success(await node.cni({ ...call("DEL", "two", netns), interface: "net1" }));
  const { stdout } = await node.inNetns(netns.path, ["ip", "rule"]);
  assertEquals(stdout.trim().split("\n").length, 3, stdout);
  success(await node.cni(call("DEL", "two", netns)));
});

systemTest(
  `a thousand idle and a thousand slow clients keep nobody from VPP's API ${EMBEDDED}`,
  async () => {
    await using node = await TestNode.start();
    const [one, two] = [await node.sandbox.addPod("one"), await node.sandbox.addPod("two")];
    const path = node.sandbox.sockets.vpp;
    await using known = await VppClient.connect({ path, name: "known" });
    const crowd: Deno.UnixConn[] = [];
    try {
      const hello = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 74, 0, 0, 0, 0, 0, 15);
      for (let i = 0; i < 2_000; i++) {
        const client = await connect(path);
        crowd.push(client);
        // Slow ones have begun to say hello.
        if (i >= 1_000) await client.write(hello).catch(() => {});
      }
      await using late = await VppClient.connect({ path, name: "late" });
      for (const client of [known, late]) {
        assert(
          (await client.request("control_ping")).vpe_pid > 0,
        );
      }
      assert(await node.ping(one, two.addresses[0]), "pods do not reach each other");
      await node.sandbox.addPod("three");
    } finally {
      for (const client of crowd) client.close();
    }
    assert((await known.request("control_ping")).vpe_pid > 0);
  },
);

systemTest(
  "a thousand idle and a thousand slow clients keep nobody from the agent's sockets",
  async (t) => {
    await using node = await TestNode.start();
    // As many files as a shell or a service manager gives without being asked.
    await node.kill("agent");
    node.sandbox.start("agent", (command) => ["prlimit", "--nofile=1024:20000", ...command]);
    await node.sandbox.untilReady(AbortSignal.timeout(30_000));
    const { pid } = node.process("agent");
    const descriptors = (): number => [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
    const before = descriptors();
    const { cni, status } = node.sandbox.sockets;
    // For each client beyond its bound, the server of CNI lets the longest idle one go.
    const servers = [[cni, "PRI * HTTP/2.0\r\n\r", 1_024], [
      status,
      "GET /status HT",
      2_000,
    ]] as const;
    for (const [path, begun, held] of servers) {
      await t.step(begun, async () => {
        const crowd: Deno.UnixConn[] = [];
        try {
          for (let i = 0; i < 2_000; i++) {
            const client = await connect(path);
            crowd.push(client);
            if (i >= 1_000) await client.write(new TextEncoder().encode(begun)).catch(() => {});
          }
          await until(`${held} of them are held`, () => descriptors() === before + held);
          const name = `late${crowd.length}${path === cni ? "c" : "s"}`;
          const pod = await node.sandbox.addPod(name);
          assert(await node.ping(pod, pod.gateways[0]), "the pod does not reach its gateway");
          const known = await node.status<{ containerId: string }[]>("/attachments");
          assert(known.some(({ containerId }) => containerId === pod.containerId));
          await node.sandbox.removePod(name);
        } finally {
          for (const client of crowd) client.close();
        }
        await until("they are forgotten", () => descriptors() < before + 50, 30_000);
      });
    }
  },
);

systemTest("messages that are too long are refused, and others are served", async (t) => {
  await using node = await TestNode.start();
  const { cni, status } = node.sandbox.sockets;
  await t.step("a request to the agent", async () => {
    const error = await assertRejects(
      () =>
        callUnary({
          ...{ socket: cni, path: CNI_INVOKE_PATH, message: new Uint8Array(3 << 20) },
          ...{ timeoutMs: 20_000, connectTimeoutMs: 5_000 },
          signal: new AbortController().signal,
        }),
      RpcError,
    );
    assertEquals(error.code, RpcCode.RESOURCE_EXHAUSTED, error.message);
  });
  await t.step("a request for its status", async () => {
    using client = await Deno.connect({ transport: "unix", path: status });
    const line = new TextEncoder().encode(`x: ${"y".repeat(8_000)}\r\n`);
    await client.write(new TextEncoder().encode("GET /status HTTP/1.1\r\nhost: x\r\n"));
    let sent = 0;
    // It answers with an error, or hangs up, long before this.
    const answer = client.read(new Uint8Array(64)).catch(() => null);
    let answered = false;
    void answer.then(() => answered = true);
    while (!answered && sent < 64 << 20) {
      sent += await client.write(line).catch(() => 64 << 20);
    }
    const { rss } = memoryOf(node.process("agent").pid);
    assert(rss < 512 << 20, `the agent has grown to ${rss} octets`);
  });
  await t.step("a network configuration", async () => {
    const exit = await node.cni(
      { command: "STATUS" },
      { padding: "x".repeat(2 << 20) },
    );
    assertEquals(exit.code, 1);
    assertStringIncludes(JSON.parse(exit.stdout).msg, "octets");
  });
  await t.step("others", async () => {
    const pod = await node.sandbox.addPod("one");
    assert(await node.ping(pod, pod.gateways[0]), "the pod does not reach its gateway");
    assertEquals(await node.status<unknown[]>("/attachments").then(({ length }) => length), 1);
  });
});

/** Resident memory of a process, in octets. */
function memoryOf(pid: number): { readonly rss: number } {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1];
  return { rss: Number(kilobytes) * 1024 };
}

systemTest(`a message that is too long ends its client's connection only ${EMBEDDED}`, async () => {
  await using node = await TestNode.start();
  const path = node.sandbox.sockets.vpp;
  await using known = await VppClient.connect({ path, name: "known" });
  using client = await Deno.connect({ transport: "unix", path });
  const header = new Uint8Array(16);
  new DataView(header.buffer).setUint32(8, 0xffff_fff0);
  await client.write(header);
  assertEquals(await client.read(new Uint8Array(16)), null);
  assert((await known.request("control_ping")).vpe_pid > 0);
});
