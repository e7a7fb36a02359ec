/** A VXLAN mesh in a bridge domain against one multipoint tunnel. Record: 0022. */
import { assertEquals } from "@contiv/assert";
import {
  concatBytes,
  ethernetFrame,
  ip4Packet,
  IpProtocol,
  parseTransport,
  udpDatagram,
} from "@contiv/net";
import { address, mac, NONE, prefix, via } from "../conformance/values.ts";
import type { Lab } from "./lab/lab.ts";
import type { Pod } from "./lab/pod.ts";
import { probe } from "./lab/probe.ts";

const NODES = 1_000;
const OWN = "192.0.2.1";
const OWN_MAC = "02:fe:00:00:00:00";
const VNI = 10;
const PORT = 4789;

/** Two octets that tell node `i`. */
const pair = (i: number): string => `${i >> 8}.${i & 255}`;
const node = (i: number): string => `203.0.${pair(i)}`;
const nodeMac = (i: number): Uint8Array =>
  concatBytes(mac("02:fe:00:01:00:00").subarray(0, 4), Uint8Array.of(i >> 8, i & 255));

interface Net {
  readonly a: Pod;
  /** The uplink; all other nodes are behind it. */
  readonly uplink: Pod;
}

async function net(lab: Lab): Promise<Net> {
  const a = await lab.pod("a", ["10.1.0.2", "fd00:1::2"]);
  const uplink = await lab.pod("up", ["192.0.2.254", "2001:db8::254"], {
    cnat: false,
    routes: ["203.0.0.0/16"],
  });
  await loopback(lab, `${OWN}/32`);
  return { a, uplink };
}

async function loopback(lab: Lab, own: string, macText = "00:00:00:00:00:00"): Promise<number> {
  const { vpp } = lab;
  const { sw_if_index } = await vpp.request("create_loopback_instance", {
    mac_address: mac(macText),
  });
  await vpp.request("sw_interface_set_flags", { sw_if_index, flags: 1 });
  await vpp.request("sw_interface_add_del_address", {
    sw_if_index,
    is_add: true,
    prefix: prefix(own),
  });
  return sw_if_index;
}

/** Milliseconds, and megabytes of VPP's main heap, that something costs. */
async function cost(lab: Lab, act: () => Promise<unknown>): Promise<string> {
  const used = async (): Promise<number> =>
    Number(/used: ([0-9.]+)M/.exec(await lab.cli("show memory main-heap"))?.[1]);
  const before = await used();
  const start = performance.now();
  await act();
  await lab.vpp.request("control_ping");
  const ms = performance.now() - start;
  return `${ms.toFixed(0)} ms, ${(await used() - before).toFixed(1)} MB`;
}

async function mesh(lab: Lab): Promise<void> {
  const { vpp } = lab;
  const bd_id = 1;
  await vpp.request("bridge_domain_add_del_v2", { bd_id, is_add: true, forward: true });
  const bvi = await loopback(lab, "10.3.0.1/16", OWN_MAC);
  const bridge = { bd_id, enable: true };
  await vpp.request("sw_interface_set_l2_bridge", {
    ...bridge,
    rx_sw_if_index: bvi,
    port_type: 1,
  });
  const nodes = Array.from({ length: NODES }, (_, i) => i);
  const tunnels = await Promise.all(nodes.map((i) =>
    vpp.request("vxlan_add_del_tunnel_v3", {
      is_add: true,
      instance: NONE,
      src_address: address(OWN),
      dst_address: address(node(i)),
      src_port: PORT,
      dst_port: PORT,
      mcast_sw_if_index: NONE,
      decap_next_index: NONE,
      vni: VNI,
    })
  ));
  await Promise.all(tunnels.flatMap(({ sw_if_index }, i) => {
    const hop = `10.3.${pair(i + 256)}`;
    return [
      vpp.request("sw_interface_set_l2_bridge", {
        ...bridge,
        rx_sw_if_index: sw_if_index,
        shg: 1,
      }),
      vpp.request("sw_interface_set_flags", { sw_if_index, flags: 1 }),
      vpp.request("l2fib_add_del", {
        mac: nodeMac(i),
        bd_id,
        sw_if_index,
        is_add: true,
        static_mac: true,
      }),
      vpp.request("ip_neighbor_add_del", {
        is_add: true,
        neighbor: {
          sw_if_index: bvi,
          flags: 1,
          mac_address: nodeMac(i),
          ip_address: address(hop),
        },
      }),
      lab.route(`10.${100 + (i >> 8)}.${i & 255}.0/24`, bvi, hop),
    ];
  }));
}

async function multipoint(lab: Lab): Promise<void> {
  await lab.cli(`create ipip tunnel src ${OWN} p2mp`);
  await lab.cli("set interface state ipip0 up");
  await lab.cli("set interface ip address ipip0 10.4.0.1/16");
  const links = await lab.vpp.dump("sw_interface_dump");
  const tunnel = links.find((link) => link.interface_name === "ipip0")?.sw_if_index ?? NONE;
  await Promise.all(
    Array.from({ length: NODES }, (_, i) => {
      const hop = `10.4.${pair(i + 256)}`;
      const to = `10.${100 + (i >> 8)}.${i & 255}.0/24`;
      return [
        lab.cli(`create teib ipip0 peer ${hop} nh ${node(i)}`),
        lab.vpp.request("ip_route_add_del_v2", {
          is_add: true,
          route: { prefix: prefix(to), paths: [via(tunnel, hop)] },
        }),
      ];
    }).flat(),
  );
}

probe("a mesh of VXLAN tunnels carries pods' packets to each node and back", async (lab, t) => {
  const { a, uplink } = await net(lab);
  console.log(`mesh of ${NODES}: ${await cost(lab, () => mesh(lab))}`);
  await t.step("to node 261", async () => {
    uplink.drain();
    const ways = await lab.trace(() => a.askUdp("10.101.5.7", 53, { limitMs: 50 }));
    assertEquals(ways.find((nodes) => nodes.includes("vxlan4-encap"))?.slice(4), [
      "ip4-lookup",
      "ip4-rewrite",
      "loop2-output",
      "l2-input",
      "l2-fwd",
      "l2-output",
      "vxlan4-encap",
      "ip4-rewrite",
      "host-v-up-output",
      "host-v-up-tx",
    ]);
    const [outer] = await uplink.receive((ip) => ip.protocol === IpProtocol.UDP);
    assertEquals([String(outer?.source), String(outer?.destination)], [OWN, node(261)]);
    const udp = outer === undefined ? undefined : parseTransport(outer);
    assertEquals(udp?.destinationPort, PORT);
    assertEquals(
      udp?.payload.subarray(0, 20).toHex(),
      "0800000000000a00" + "02fe00010105" + "02fe00000000",
    );
  });
  const arrive = async (from: number, to: string): Promise<number> => {
    const [source, destination] = [`10.${100 + (from >> 8)}.${from & 255}.7`, to];
    const payload = udpDatagram({ source, destination, sourcePort: 1, destinationPort: 2 });
    const inner = ip4Packet({ source, destination, protocol: IpProtocol.UDP, payload });
    const frame = ethernetFrame({
      source: "02:fe:00:01:01:05",
      destination: OWN_MAC,
      payload: inner,
    });
    const ends = { source: node(from), destination: OWN };
    const vxlan = concatBytes(Uint8Array.of(8, 0, 0, 0, 0, 0, VNI, 0), frame);
    const ports = { sourcePort: 50_000, destinationPort: PORT };
    const udp = udpDatagram({ ...ends, ...ports, payload: vxlan });
    a.drain();
    uplink.drain();
    uplink.send(ip4Packet({ ...ends, protocol: IpProtocol.UDP, payload: udp }));
    const at = to === a.ip4 ? a : uplink;
    return (await at.receive((ip) => ip.protocol === IpProtocol.UDP, { limitMs: 200 })).length;
  };
  await t.step("back from it", async () => assertEquals(await arrive(261, a.ip4), 1));
  await t.step("an unknown node's tunnel is not there", async () => {
    assertEquals(await arrive(NODES + 1, a.ip4), 0);
  });
  await t.step("from node to node through a third it is routed, whatever the group", async () => {
    assertEquals(await arrive(261, "10.100.9.7"), 1);
  });
});

probe("one multipoint IPIP tunnel does the same with one interface", async (lab) => {
  const { a, uplink } = await net(lab);
  console.log(`multipoint to ${NODES}: ${await cost(lab, () => multipoint(lab))}`);
  uplink.drain();
  await a.askUdp("10.101.5.7", 53, { limitMs: 50 });
  const [outer] = await uplink.receive((ip) => ip.protocol === 4);
  assertEquals([String(outer?.source), String(outer?.destination)], [OWN, node(261)]);
});
