/** How a service without backends can refuse at once. Record: 0010. */
import { assertEquals } from "@contiv/assert";
import { ip4Packet, parseIcmp } from "@contiv/net";
import { FibPathType, IpProto } from "@contiv/vppapi";
import { NONE, prefix } from "../conformance/values.ts";
import { type Endpoint, setService } from "./lab/cnat.ts";
import { probe } from "./lab/probe.ts";
import { SILENCE } from "./lab/streams.ts";

/** Nobody listens on tcpmux. */
const CLOSED_PORT = 1;
const VIPS = ["10.96.0.1", "fd00:96::1"] as const;
const HOST = ["172.30.0.1", "fd00:2::1"] as const;

probe("a service whose backend is a closed port of the host refuses at once", async (lab, t) => {
  const pod = await lab.pod("pod", ["10.1.0.2", "fd00:1::2"]);
  await lab.pod("host", HOST);
  for (const [i, vip] of VIPS.entries()) {
    const backends: Endpoint[] = [`${HOST[i] ?? ""}|${CLOSED_PORT}`];
    for (const protocol of [IpProto.TCP, IpProto.UDP, IpProto.SCTP]) {
      await setService(lab.vpp, { vip: `${vip}|80`, backends, protocol });
    }
    await t.step(`${vip}: TCP gets a reset, UDP a port unreachable`, async () => {
      assertEquals(await pod.streams.once(vip, 80), "ConnectionRefused");
      assertEquals(await pod.askUdp(vip, 80), "ECONNREFUSED");
    });
  }
  await t.step("the refusal comes from the service's address, and quotes it", async () => {
    await new Promise((resolve) => setTimeout(resolve, 1_100)); // the host's limit for ICMP
    pod.drain();
    await pod.askUdp(VIPS[1], 80);
    const [answer] = await pod.receive((ip) => ip.protocol === IpProto.ICMP6);
    const message = answer === undefined ? undefined : parseIcmp(answer);
    assertEquals([String(answer?.source), message?.type, message?.code], [VIPS[1], 1, 4]);
    assertEquals(
      message?.payload.subarray(24, 40).toHex(),
      prefix(`${VIPS[1]}/128`).address.un.toHex(),
    );
  });
  await t.step("SCTP gets a protocol unreachable from a host without SCTP", async () => {
    pod.drain();
    const payload = Uint8Array.of(48, 57, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 4);
    const protocol = IpProto.SCTP;
    pod.send(ip4Packet({ source: pod.ip4, destination: VIPS[0], protocol, payload }));
    const [answer] = await pod.receive((ip) => ip.protocol === IpProto.ICMP);
    const message = answer === undefined ? undefined : parseIcmp(answer);
    assertEquals([String(answer?.source), message?.type, message?.code], [VIPS[0], 3, 2]);
  });
  await t.step("the host's own limit leaves most of a UDP burst unanswered", async () => {
    let refused = 0;
    for (let i = 0; i < 30; i++) {
      if (await pod.askUdp(VIPS[0], 80, { limitMs: 20 }) === "ECONNREFUSED") refused++;
    }
    assertEquals(refused > 0 && refused < 15, true, `${refused} of 30 refused`);
  });
});

probe("nothing inside VPP refuses: what else may be a backend is silent", async (lab, t) => {
  const pod = await lab.pod("pod", ["10.1.0.2", "fd00:1::2"]);
  const service = async (vip: Endpoint, backend: Endpoint): Promise<void> => {
    for (const protocol of [IpProto.TCP, IpProto.UDP]) {
      await setService(lab.vpp, { vip, backends: [backend], protocol });
    }
  };
  const answers = async (host: string, port: number): Promise<string[]> => [
    await pod.streams.once(host, port, 500),
    await pod.askUdp(host, port),
  ];
  await t.step("VPP's own closed port", async () => {
    await service("10.96.0.2|80", "10.1.0.1|1");
    assertEquals(await answers("10.96.0.2", 80), [SILENCE, SILENCE]);
  });
  await t.step("an address without a route", async () => {
    await service("10.96.0.3|80", "10.99.0.1|1");
    assertEquals(await answers("10.96.0.3", 80), [SILENCE, SILENCE]);
  });
  await t.step("another port of a service's address", async () => {
    assertEquals(await answers("10.96.0.3", 81), [SILENCE, SILENCE]);
  });
});

probe("an unreachable route answers ICMP host unreachable, for all ports alike", async (lab) => {
  const pod = await lab.pod("pod", ["10.1.0.2", "fd00:1::2"]);
  await lab.vpp.request("ip_route_add_del_v2", {
    is_add: true,
    route: {
      prefix: prefix("10.97.0.1/32"),
      paths: [{ type: FibPathType.ICMP_UNREACH, sw_if_index: NONE }],
    },
  });
  pod.drain();
  assertEquals(await pod.streams.once("10.97.0.1", 80), "Error"); // EHOSTUNREACH
  const [answer] = await pod.receive((ip) => ip.protocol === IpProto.ICMP);
  const message = answer === undefined ? undefined : parseIcmp(answer);
  assertEquals([message?.type, message?.code], [3, 1]);
});
