import { Libc, NetNs, RtNetlink } from "@contiv/libc";
import { IpAddress, IpPrefix, MacAddress } from "@contiv/net";
import { AfPacketFlags, type VppClient } from "@contiv/vppapi";
import { mac, prefix, via } from "../../conformance/values.ts";
import { Pod } from "./pod.ts";
import { Streams } from "./streams.ts";
import { VppProcess } from "./vpp_process.ts";

const ADMIN_UP = 1;
const MTU = 1500;

/** The gateway's addresses: VPP's own, on a loopback that all pods' interfaces borrow from. */
export const GATEWAY = { ip4: "10.1.0.1", ip6: "fd00:1::1" } as const;

/** How an interface of the lab is joined to VPP. */
export interface PodOptions {
  /** Whether cnat works on the interface. @default true */
  readonly cnat?: boolean;
  /** Further prefixes that are reached through this pod. */
  readonly routes?: readonly string[];
}

/** One VPP in a namespace of its own, with pods around it; all of it goes with the probe. */
export class Lab implements AsyncDisposable {
  readonly process: VppProcess;
  readonly vpp: VppClient;
  /** Index of the gateway loopback. */
  readonly gateway: number;
  readonly #libc: Libc;
  readonly #directory: string;
  readonly #netns: NetNs;
  readonly #undo: (() => void | Promise<void>)[];
  readonly #pods: Pod[] = [];

  private constructor(fields: {
    readonly libc: Libc;
    readonly directory: string;
    readonly netns: NetNs;
    readonly process: VppProcess;
    readonly vpp: VppClient;
    readonly gateway: number;
    readonly undo: (() => void | Promise<void>)[];
  }) {
    this.#libc = fields.libc;
    this.#directory = fields.directory;
    this.#netns = fields.netns;
    this.process = fields.process;
    this.vpp = fields.vpp;
    this.gateway = fields.gateway;
    this.#undo = fields.undo;
  }

  /** @param config further sections of VPP's startup configuration */
  static async start(config = ""): Promise<Lab> {
    const undo: (() => void | Promise<void>)[] = [];
    try {
      const libc = Libc.open();
      undo.push(() => libc.close());
      const directory = Deno.makeTempDirSync({ prefix: "contiv-probe-" });
      undo.push(() => Deno.removeSync(directory, { recursive: true }));
      const netns = newNamespace(libc, `${directory}/netns-vpp`, undo);
      const process = await VppProcess.start(directory, `${directory}/netns-vpp`, config);
      undo.push(() => process[Symbol.asyncDispose]());
      const vpp = await process.connect();
      undo.push(() => vpp.close());
      const gateway = await makeGateway(vpp);
      return new Lab({ libc, directory, netns, process, vpp, gateway, undo });
    } catch (error) {
      await undoAll(undo);
      throw error;
    }
  }

  /**
   * Adds a namespace with an interface `eth0` of these addresses, joined to VPP by veth and
   * af_packet as a pod is: borrowed gateway address, host routes and static neighbours.
   *
   * @param addresses one of IPv4, and one of IPv6 if wanted
   */
  async pod(name: string, addresses: readonly string[], options: PodOptions = {}): Promise<Pod> {
    const path = `${this.#directory}/netns-${name}`;
    const netns = newNamespace(this.#libc, path, this.#undo);
    const ours = MacAddress.parse(`02:00:00:00:01:${hex(this.#pods.length)}`);
    const theirs = MacAddress.parse(`02:00:00:00:02:${hex(this.#pods.length)}`);
    const link = this.#wire(name, netns, ours, theirs, addresses);
    const streams = await Streams.enter(path);
    const index = await this.#join(name, addresses, ours, theirs, options);
    const place = { name, index, addresses, netns, path, link, mac: ours, gatewayMac: theirs };
    const pod = new Pod(this.#libc, place, streams);
    this.#pods.push(pod);
    return pod;
  }

  /** What VPP's CLI prints. */
  async cli(cmd: string): Promise<string> {
    return (await this.vpp.request("cli_inband", { cmd })).reply;
  }

  /** The nodes through which each packet goes that arrives while `act` runs, in their order. */
  async trace(act: () => Promise<unknown>): Promise<string[][]> {
    await this.cli("clear trace");
    await this.cli("trace add af-packet-input 50");
    await act();
    const text = await this.cli("show trace");
    return text.split(/^Packet \d+$/m).slice(1).map((packet) =>
      Array.from(packet.matchAll(/^\d\d:\d\d:\d\d:\d+: (\S+)$/gm), ([, node = ""]) => node)
    );
  }

  /** The text of each packet's trace. */
  async traceText(act: () => Promise<unknown>): Promise<string> {
    await this.cli("clear trace");
    await this.cli("trace add af-packet-input 50");
    await act();
    return await this.cli("show trace");
  }

  #wire(
    name: string,
    netns: NetNs,
    ours: MacAddress,
    theirs: MacAddress,
    addresses: readonly string[],
  ): number {
    using outside = RtNetlink.open(this.#libc, this.#netns);
    using inside = RtNetlink.open(this.#libc, netns);
    outside.createVeth({
      name: `v-${name}`,
      peer: { name: "eth0", ns: netns, mac: ours, mtu: MTU },
      mtu: MTU,
    });
    outside.setLink(outside.link(`v-${name}`)?.index ?? 0, { up: true });
    const index = inside.link("eth0")?.index ?? 0;
    inside.setLink(inside.link("lo")?.index ?? 0, { up: true });
    inside.setLink(index, { up: true });
    for (const text of addresses) {
      const ip = IpAddress.parse(text);
      const { family } = ip;
      const gateway = IpAddress.parse(family === 4 ? GATEWAY.ip4 : GATEWAY.ip6);
      const length = family === 4 ? 32 : 128;
      inside.addAddress({ index, address: ip, prefixLength: length, nodad: family === 6 });
      inside.setNeighbour({ index, address: gateway, mac: theirs, permanent: true });
      inside.addRoute({ family, destination: IpPrefix.parse(`${gateway}/${length}`), index });
      inside.addRoute({ family, gateway, index });
    }
    return index;
  }

  async #join(
    name: string,
    addresses: readonly string[],
    ours: MacAddress,
    theirs: MacAddress,
    options: PodOptions,
  ): Promise<number> {
    const { vpp } = this;
    const { sw_if_index } = await vpp.request("af_packet_create_v3", {
      mode: 1,
      host_if_name: `v-${name}`,
      hw_addr: mac(theirs.toString()),
      rx_frames_per_block: 64,
      tx_frames_per_block: 64,
      num_rx_queues: 1,
      num_tx_queues: 1,
      flags: AfPacketFlags.CKSUM_GSO,
    });
    const done: Promise<unknown>[] = [
      vpp.request("sw_interface_set_mtu", { sw_if_index, mtu: [MTU, 0, 0, 0] }),
      vpp.request("sw_interface_set_unnumbered", {
        sw_if_index: this.gateway,
        unnumbered_sw_if_index: sw_if_index,
        is_add: true,
      }),
      vpp.request("sw_interface_ip6_enable_disable", { sw_if_index, enable: true }),
      vpp.request("sw_interface_set_flags", { sw_if_index, flags: ADMIN_UP }),
    ];
    for (const text of addresses) {
      const is6 = text.includes(":");
      const host = `${text}/${is6 ? 128 : 32}`;
      done.push(
        vpp.request("ip_neighbor_add_del", {
          is_add: true,
          neighbor: {
            sw_if_index,
            flags: 1,
            mac_address: ours.bytes,
            ip_address: prefix(host).address,
          },
        }),
      );
      const more = (options.routes ?? []).filter((route) => route.includes(":") === is6);
      for (const to of [host, ...more]) done.push(this.route(to, sw_if_index, text));
    }
    if (options.cnat !== false) {
      done.push(
        vpp.request("feature_cnat_enable_disable", { sw_if_index, enable_disable: true }),
      );
    }
    await Promise.all(done);
    return sw_if_index;
  }

  /** Adds a route through an interface. */
  async route(to: string, swIfIndex: number, hop: string): Promise<void> {
    await this.vpp.request("ip_route_add_del_v2", {
      is_add: true,
      route: { table_id: 0, prefix: prefix(to), paths: [via(swIfIndex, hop)] },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pod of this.#pods) pod[Symbol.dispose]();
    await undoAll(this.#undo);
  }
}

async function makeGateway(vpp: VppClient): Promise<number> {
  const { sw_if_index } = await vpp.request("create_loopback_instance");
  await vpp.request("sw_interface_set_flags", { sw_if_index, flags: ADMIN_UP });
  for (const own of [`${GATEWAY.ip4}/32`, `${GATEWAY.ip6}/128`]) {
    await vpp.request("sw_interface_add_del_address", {
      sw_if_index,
      is_add: true,
      prefix: prefix(own),
    });
  }
  return sw_if_index;
}

function newNamespace(libc: Libc, path: string, undo: (() => void | Promise<void>)[]): NetNs {
  const netns = NetNs.create(libc, path);
  undo.push(() => {
    netns.close();
    NetNs.remove(libc, path);
  });
  return netns;
}

async function undoAll(undo: (() => void | Promise<void>)[]): Promise<void> {
  for (const step of undo.splice(0).reverse()) await step();
}

function hex(number: number): string {
  return number.toString(16).padStart(2, "0");
}
