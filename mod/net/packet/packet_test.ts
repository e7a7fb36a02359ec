import { assert, assertEquals, assertThrows } from "@contiv/assert";
import fc from "fast-check";
import { AddressError } from "../error.ts";
import {
  arpPacket,
  echoPacket,
  ethernetFrame,
  ip4Packet,
  ip6Packet,
  multicastMac,
  neighborPacket,
  solicitedNodeAddress,
  tcpSegment,
  udpDatagram,
  vnetFrame,
} from "./build.ts";
import { ArpOpcode, EtherType, IpProtocol } from "./layout.ts";
import { parseArp, parseEthernet, parseIcmp, parseIp, parseTransport } from "./parse.ts";

const MAC_A = "02:00:00:00:00:0a";
const MAC_B = "02:00:00:00:00:0b";

Deno.test("what is built is read back, with right checksums", () => {
  const payload = new TextEncoder().encode("payload");
  for (const [source, destination] of [["10.0.0.1", "10.0.0.2"], ["fd00::1", "fd00::2"]] as const) {
    const ports = { source, destination, sourcePort: 1234, destinationPort: 53, payload };
    for (const protocol of [IpProtocol.UDP, IpProtocol.TCP]) {
      const transport = protocol === IpProtocol.UDP ? udpDatagram(ports) : tcpSegment(ports);
      const packet = source.includes(":")
        ? ip6Packet({ source, destination, nextHeader: protocol, payload: transport })
        : ip4Packet({ source, destination, protocol, payload: transport });
      const frame = ethernetFrame({ source: MAC_A, destination: MAC_B, payload: packet });
      const ethernet = parseEthernet(frame);
      const ip = parseIp(ethernet!.payload);
      assert(ip?.checksumOk);
      assertEquals(`${ip.source} ${ip.destination}`, `${source} ${destination}`);
      const read = parseTransport(ip);
      assert(read?.checksumOk);
      assertEquals([read.sourcePort, read.destinationPort], [1234, 53]);
      assertEquals([...read.payload], [...payload]);
    }
    const echo = parseIcmp(parseIp(echoPacket({ source, destination, payload }))!);
    assert(echo?.checksumOk);
    assertEquals([...echo.payload], [...payload]);
  }
});

Deno.test("a known packet has its known octets", () => {
  // An ICMP echo request of id 1, sequence 1, worked out by hand.
  const packet = echoPacket({ source: "192.0.2.1", destination: "192.0.2.2" });
  assertEquals(
    Array.from(packet, (byte) => byte.toString(16).padStart(2, "0")).join(""),
    "4500001c0000000040 01f6dd c0000201 c0000202 0800f7fd00010001".replaceAll(" ", ""),
  );
});

Deno.test("ARP and neighbour discovery are read back", () => {
  const arp = parseArp(
    arpPacket({ senderMac: MAC_A, senderIp: "10.0.0.1", targetIp: "10.0.0.2" }),
  );
  assertEquals(arp?.opcode, ArpOpcode.REQUEST);
  assertEquals(`${arp?.senderMac} ${arp?.senderIp} ${arp?.targetIp}`, `${MAC_A} 10.0.0.1 10.0.0.2`);
  const group = solicitedNodeAddress("fd00::1:2345:6789");
  assertEquals(`${group} ${multicastMac(group)}`, "ff02::1:ff45:6789 33:33:ff:45:67:89");
  assertEquals(`${multicastMac("239.129.2.3")}`, "01:00:5e:01:02:03");
  const ip = parseIp(neighborPacket({
    type: "solicitation",
    source: "fe80::1",
    destination: group,
    target: "fd00::1:2345:6789",
    mac: MAC_A,
  }));
  const icmp = parseIcmp(ip!);
  assert(icmp?.checksumOk);
  assertEquals([icmp.type, ip?.ttl], [135, 255]);
});

Deno.test("families are not mixed, and the virtio-net header is little endian", () => {
  assertThrows(
    () =>
      udpDatagram({ source: "10.0.0.1", destination: "::1", sourcePort: 1, destinationPort: 2 }),
    AddressError,
  );
  const frame = vnetFrame(new Uint8Array(14), { flags: 1, csumStart: 0x1234 });
  assertEquals([...frame.subarray(0, 10)], [1, 0, 0, 0, 0, 0, 0x34, 0x12, 0, 0]);
});

Deno.test("parsers take any octets without throwing", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 120 }),
      fc.constantFrom(0x45, 0x46, 0x60),
      (bytes, v) => {
        parseEthernet(bytes);
        parseArp(bytes);
        if (bytes.length > 0) bytes[0] = v;
        const ip = parseIp(bytes);
        if (ip) {
          parseIcmp(ip);
          parseTransport(ip);
          assert(ip.payload.length <= bytes.length);
        }
      },
    ),
    { numRuns: 10_000, seed: 5 },
  );
  assertEquals(parseEthernet(new Uint8Array(13)), undefined);
  assertEquals(EtherType.IP4, 0x0800);
});
