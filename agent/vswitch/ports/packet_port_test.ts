import { assert, assertEquals } from "@contiv/assert";
import { Libc, NetNs, PacketSocket, RtNetlink } from "@contiv/libc";
import {
  ethernetFrame,
  ip4Packet,
  IpProtocol,
  parseEthernet,
  parseIp,
  parseTransport,
  udpDatagram,
  vnetFrame,
  VnetGso,
} from "@contiv/net";
import { takesUdpSegments } from "./_plumb_packet.ts";
import { PacketPort } from "./packet_port.ts";

const isRoot = Deno.uid() === 0;
const ENDS = { source: "192.0.2.1", destination: "192.0.2.2" };
const LIMIT_MS = 5_000;

/** A frame of UDP, or of many datagrams of a size. */
function udp(octets: number, size = 0): Uint8Array {
  const payload = new Uint8Array(octets).fill(7);
  const checksum = size > 0 ? "partial" : "full";
  const datagram = udpDatagram({
    ...ENDS,
    sourcePort: 1,
    destinationPort: 2,
    payload,
    checksum,
  });
  const frame = ethernetFrame({
    source: "02:00:00:00:00:01",
    destination: "02:00:00:00:00:02",
    payload: ip4Packet({ ...ENDS, protocol: IpProtocol.UDP, payload: datagram }),
  });
  const left = {
    flags: 1,
    gsoType: VnetGso.UDP_L4,
    gsoSize: size,
    hdrLen: 42,
    csumStart: 34,
    csumOffset: 6,
  };
  return vnetFrame(frame, size > 0 ? left : {});
}

/** Payloads that arrive, in order, each with the type of its frame; those with wrong checksums not. */
async function arrivals(
  port: PacketPort,
  count: number,
): Promise<[type: number, length: number][]> {
  const seen: [number, number][] = [];
  const deadline = performance.now() + LIMIT_MS;
  while (seen.length < count) {
    port.receive(64, (buffer, offset, length) => {
      const bytes = buffer.slice(offset, offset + length);
      const ip = parseIp(parseEthernet(bytes.subarray(10))!.payload);
      if (ip === undefined || String(ip.source) !== ENDS.source) return;
      const datagram = parseTransport(ip)!;
      if (bytes[0] === 0) assert(datagram.checksumOk);
      seen.push([bytes[1]!, datagram.payload.length]);
    });
    if (performance.now() > deadline) throw new Error(`${seen.length} of ${count} frames arrived`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return seen;
}

Deno.test({
  name: "a large frame overtakes none that was kept back, and is cut where the device does not cut",
  ignore: !isRoot,
  fn: async (t) => {
    using libc = Libc.open();
    const directory = Deno.makeTempDirSync();
    const path = `${directory}/netns`;
    try {
      using namespace = NetNs.create(libc, path);
      using netlink = RtNetlink.open(libc, namespace);
      netlink.createVeth({ name: "left", peer: { name: "right" } });
      const [left, right] = ["left", "right"].map((name) => {
        const index = netlink.link(name)?.index ?? 0;
        netlink.setLink(index, { up: true });
        const options = { index, vnetHeader: true, ignoreOutgoing: true };
        return new PacketPort(namespace.run(() => PacketSocket.open(libc, options)));
      }) as [PacketPort, PacketPort];
      const send = (...frames: Uint8Array[]): void => {
        for (const frame of frames) assert(left.send(frame, 0, frame.length));
        assertEquals(left.flush(), 0);
      };
      try {
        await t.step("whole over a device that passes it on", async () => {
          send(udp(10), udp(20_400, 1_000), udp(20));
          const whole = [[VnetGso.UDP_L4, 20_400]];
          assertEquals(await arrivals(right, 3), [[0, 10], ...whole, [0, 20]]);
        });
        await t.step("cut by the kernel before one that does not", async () => {
          const off = ["tx", "off", "sg", "off", "tx-udp-segmentation", "off"];
          const { success } = namespace.run(() =>
            new Deno.Command("ethtool", { args: ["-K", "left", ...off] }).outputSync()
          );
          assert(success);
          send(udp(10), udp(20_400, 1_000), udp(20));
          const cut = [...Array<number>(20).fill(1_000), 400].map((length) => [0, length]);
          assertEquals(await arrivals(right, 23), [[0, 10], ...cut, [0, 20]]);
        });
      } finally {
        await left.close();
        await right.close();
      }
    } finally {
      NetNs.remove(libc, path);
      Deno.removeSync(directory, { recursive: true });
    }
  },
});

Deno.test("frames of many datagrams are for Linux 6.2 and later", () => {
  const releases: [string, boolean][] = [
    ["6.18.44", true],
    ["6.2.0-39-generic", true],
    ["7.0", true],
    ["6.1.0-9-amd64", false],
    ["5.15.0", false],
    ["what", false],
  ];
  for (const [release, takes] of releases) assertEquals(takesUdpSegments(release), takes, release);
});
