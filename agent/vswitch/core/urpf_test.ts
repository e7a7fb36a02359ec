import { assertEquals } from "@contiv/assert";
import { ip4Packet, ip6Packet, IpAddress, IpProtocol } from "@contiv/net";
import { Retval } from "./retval.ts";
import { TestBench } from "./testing.ts";
import { NONE, PathProto, PathType, UrpfMode } from "./types.ts";

const POD_MAC = "02:00:00:00:00:0a";

function packet(source: string, destination: string): Uint8Array {
  const payload = new Uint8Array(16);
  return source.includes(":")
    ? ip6Packet({ source, destination, nextHeader: IpProtocol.UDP, payload })
    : ip4Packet({ source, destination, protocol: IpProtocol.UDP, payload });
}

/** Two pods on links that borrow a gateway's addresses, and an uplink with the default routes. */
function node(): { bench: TestBench; pod: number; uplink: number } {
  const bench = new TestBench();
  const gateway = bench.add(
    "loop0",
    "02:fe:00:00:00:01",
    ["10.1.1.1/32", "fd10::1/128"],
    "loopback",
  );
  const [pod, other] = ["tap0", "tap1"].map((name) => {
    const swIfIndex = bench.add(name, "02:fe:00:00:00:02", [], "tap");
    bench.plane.setUnnumbered(gateway, swIfIndex, true);
    return swIfIndex;
  }) as [number, number];
  for (const [swIfIndex, host] of [[pod, 2], [other, 3]] as const) {
    for (const nextHop of [`10.1.1.${host}`, `fd10::${host}`]) {
      bench.neighbor(swIfIndex, nextHop, POD_MAC);
      bench.via(nextHop, swIfIndex);
    }
  }
  const uplink = bench.add("mem0", "02:fe:00:00:00:03", ["192.0.2.1/24", "fd99::1/64"]);
  for (const nextHop of ["192.0.2.2", "fd99::2"]) bench.neighbor(uplink, nextHop, POD_MAC);
  bench.via("0.0.0.0/0", uplink, "192.0.2.2");
  bench.via("::/0", uplink, "fd99::2");
  return { bench, pod, uplink };
}

const DESTINATION = { 4: "10.1.1.3", 6: "fd10::3" } as const;
const DROPPED = { 4: "ip4-rx-urpf-strict: uRPF Drop", 6: "ip6-rx-urpf-strict: uRPF Drop" } as const;

for (
  const [family, own, foreign] of [
    [4, "10.1.1.2", ["10.1.1.3", "10.1.1.1", "192.0.2.2", "203.0.113.9", "0.0.0.0", "127.0.0.1"]],
    [6, "fd10::2", ["fd10::3", "fd10::1", "fd99::2", "2001:db8::1", "::", "fe80::1"]],
  ] as const
) {
  Deno.test(`strictly, only IPv${family} sources whose route leads back pass`, () => {
    const { bench, pod } = node();
    assertEquals(bench.receiveIp(pod, POD_MAC, packet(foreign[3], DESTINATION[family])).length, 1);
    bench.plane.setUrpf(pod, family, UrpfMode.STRICT, NONE);
    assertEquals(bench.receiveIp(pod, POD_MAC, packet(own, DESTINATION[family])).length, 1);
    for (const source of foreign) {
      const sent = bench.receiveIp(pod, POD_MAC, packet(source, DESTINATION[family]));
      assertEquals(sent, [], `${source} passed`);
    }
    assertEquals(bench.count(DROPPED[family]), foreign.length);
    bench.plane.setUrpf(pod, family, UrpfMode.OFF, NONE);
    assertEquals(bench.receiveIp(pod, POD_MAC, packet(foreign[3], DESTINATION[family])).length, 1);
  });
}

Deno.test("loosely, a source needs a way back to anywhere", () => {
  const { bench, pod } = node();
  bench.plane.setUrpf(pod, 4, UrpfMode.LOOSE, NONE);
  bench.route("198.51.100.0/24", [{ type: PathType.DROP, proto: PathProto.IP4 }]);
  assertEquals(bench.receiveIp(pod, POD_MAC, packet("203.0.113.9", "10.1.1.3")).length, 1);
  assertEquals(bench.receiveIp(pod, POD_MAC, packet("198.51.100.9", "10.1.1.3")).length, 0);
  assertEquals(bench.count("ip4-rx-urpf-loose: uRPF Drop"), 1);
});

Deno.test("any of several ways back will do", () => {
  const { bench, pod, uplink } = node();
  bench.route("198.51.100.0/24", [
    { swIfIndex: pod, nextHop: IpAddress.parse("10.1.1.2") },
    { swIfIndex: uplink, nextHop: IpAddress.parse("192.0.2.2") },
  ]);
  bench.plane.setUrpf(pod, 4, UrpfMode.STRICT, NONE);
  assertEquals(bench.receiveIp(pod, POD_MAC, packet("198.51.100.9", "10.1.1.3")).length, 1);
});

Deno.test("who has no address yet may speak to everyone and to groups", () => {
  const { bench, pod } = node();
  for (const family of [4, 6] as const) bench.plane.setUrpf(pod, family, UrpfMode.STRICT, NONE);
  bench.receiveIp(pod, POD_MAC, packet("0.0.0.0", "255.255.255.255"));
  bench.receiveIp(pod, POD_MAC, packet("0.0.0.0", "224.0.0.1"));
  bench.receiveIp(pod, POD_MAC, packet("::", "ff02::1"));
  assertEquals([bench.count(DROPPED[4]), bench.count(DROPPED[6])], [0, 0]);
});

Deno.test("a check may look into a table of its own, which has to exist", () => {
  const { bench, pod } = node();
  assertEquals(bench.plane.setUrpf(pod, 4, UrpfMode.STRICT, 7), Retval.INVALID_VALUE);
  bench.plane.addDelTable(true, 4, 7, "");
  assertEquals(bench.plane.setUrpf(pod, 4, UrpfMode.STRICT, 7), Retval.OK);
  assertEquals(bench.plane.interface(pod)?.urpf, [{ family: 4, mode: 2, tableId: 7 }]);
  assertEquals(bench.receiveIp(pod, POD_MAC, packet("10.1.1.2", "10.1.1.3")), []);
});
