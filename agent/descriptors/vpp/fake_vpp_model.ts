import { MacAddress } from "@contiv/net";
import { type Address, type IpRouteV2, Retval, TapFlags, UrpfMode } from "@contiv/vppapi";
import { FakeVpp } from "@contiv/vppapi/testing.ts";
import type { FakeNamespaces, FakePodNamespace } from "../linux/fake_namespaces.ts";
import { type FakeInterfaces, FakeVppNetwork } from "./fake_vpp_network.ts";
import { FakeVppSenders } from "./fake_vpp_senders.ts";
import { fromAddress, fromPrefix } from "./_api.ts";

interface Interface {
  readonly name: string;
  readonly mac: Uint8Array;
  /** Where the device is, whatever becomes of its path. */
  readonly namespace: FakePodNamespace | undefined;
  readonly device: string;
  tag: string;
  up: boolean;
  mtu: number;
  lender: number | undefined;
  /** Families whose sources are checked. */
  readonly checked: Set<number>;
  readonly addresses: Map<string, Address & { readonly len: number }>;
  readonly neighbours: Map<string, { readonly address: Address; readonly mac: Uint8Array }>;
}

interface NeighbourConfig {
  readonly max_age: number;
  readonly max_number: number;
  readonly recycle: boolean;
}

/** A VPP for tests that remembers what it is told, and fails the message it is told to. */
export class FakeVppModel {
  readonly vpp: FakeVpp;
  /** Tunnels, bridge domains and cnat. */
  readonly network: FakeVppNetwork;
  readonly senders: FakeVppSenders;
  readonly #namespaces: FakeNamespaces;
  #interfaces = new Map<number, Interface>();
  #routes = new Map<string, IpRouteV2>();
  /** How neighbours are kept, by their family. */
  #neighbourConfigs = new Map<number, NeighbourConfig>();
  #next = 1;
  #countdown = Infinity;
  #refusal: number = Retval.UNSPECIFIED;
  /** Changes received, refused ones included. */
  changes = 0;

  constructor(namespaces: FakeNamespaces) {
    this.#namespaces = namespaces;
    this.vpp = new FakeVpp();
    this.#serveInterfaces();
    this.#serveIp();
    const interfaces: FakeInterfaces = {
      change: (work) => this.#change(work),
      onInterface: (index, work) => this.#onInterface(index, () => work()),
      add: (name, mac, tag) => this.#add({ name, mac, tag, namespace: undefined, device: "" }),
      remove: (index) => void this.#interfaces.delete(index),
      nameOf: (index) => this.#interfaces.get(index)?.name,
    };
    this.network = new FakeVppNetwork(this.vpp, interfaces);
    this.senders = new FakeVppSenders(this.vpp, interfaces);
  }

  /** Refuses the change of this number from now on, counted from 1; only that one. */
  failChange(number: number, retval: number = Retval.UNSPECIFIED): void {
    this.#countdown = number;
    this.#refusal = retval;
  }

  /** Dies and starts again: another pid, empty; persistent devices stay in their namespaces. */
  restart(): void {
    this.#interfaces = new Map();
    this.#routes = new Map();
    this.#neighbourConfigs = new Map();
    this.network.clear();
    this.senders.clear();
    this.#next = 1;
    this.vpp.pid++;
    this.vpp.disconnect();
  }

  /** Everything in it, as text: what a leak would show up in. */
  get contents(): readonly string[] {
    const lines: string[] = [];
    for (const each of this.#interfaces.values()) {
      lines.push(`${each.name} ${each.tag} ${each.up ? "up" : "down"} mtu ${each.mtu}`);
      if (each.lender !== undefined) lines.push(`${each.name} borrows`);
      for (const af of each.checked) lines.push(`${each.name} checks family ${af}`);
      for (const key of each.addresses.keys()) lines.push(`${each.name} address ${key}`);
      for (const key of each.neighbours.keys()) lines.push(`${each.name} neighbour ${key}`);
    }
    for (const [af, { max_age, recycle }] of this.#neighbourConfigs) {
      if (recycle) lines.push(`recycles neighbours of family ${af}`);
      if (max_age > 0) lines.push(`ages neighbours of family ${af}`);
    }
    for (const key of this.#routes.keys()) lines.push(`route ${key}`);
    lines.push(...this.network.contents, ...this.senders.contents);
    // A restart numbers interfaces anew.
    return lines.map((line) => line.replace(/^tap\d+/, "tap")).sort();
  }

  /** Carries out a change unless it is the one to fail; gives the return value. */
  #change(work: () => number | undefined): { retval: number } {
    this.changes++;
    if (--this.#countdown === 0) return { retval: this.#refusal };
    return { retval: work() ?? 0 };
  }

  #onInterface(index: number, work: (found: Interface) => number | undefined): { retval: number } {
    return this.#change(() => {
      const found = this.#interfaces.get(index);
      return found === undefined ? Retval.INVALID_SW_IF_INDEX : work(found);
    });
  }

  #add(fields: Pick<Interface, "name" | "mac" | "namespace" | "device" | "tag">): number {
    const index = this.#next++;
    this.#interfaces.set(index, {
      ...fields,
      up: false,
      mtu: 9000,
      lender: undefined,
      checked: new Set(),
      addresses: new Map(),
      neighbours: new Map(),
    });
    return index;
  }

  #serveInterfaces(): void {
    this.vpp.reply("create_loopback_instance", ({ mac_address, user_instance }) => {
      let sw_if_index = 0;
      const reply = this.#change(() => {
        const name = `loop${user_instance}`;
        sw_if_index = this.#add({
          name,
          mac: mac_address,
          namespace: undefined,
          device: "",
          tag: "",
        });
        return 0;
      });
      return { ...reply, sw_if_index };
    });
    this.vpp.reply(
      "delete_loopback",
      ({ sw_if_index }) =>
        this.#onInterface(sw_if_index, () => {
          this.#interfaces.delete(sw_if_index);
          return 0;
        }),
    );
    this.vpp.reply("tap_create_v3", (fields) => {
      let sw_if_index = 0;
      const reply = this.#change(() => {
        const namespace = this.#namespaces.get(fields.host_namespace);
        if (namespace === undefined) return Retval.SYSCALL_ERROR_2;
        const attach = (fields.tap_flags & TapFlags.ATTACH) !== 0;
        if (attach !== namespace.links.has(fields.host_if_name)) return Retval.SYSCALL_ERROR_3;
        if (!attach) {
          const mac = MacAddress.from(fields.host_mac_addr);
          namespace.addLink(fields.host_if_name, "tun", mac, fields.host_mtu_size);
        }
        sw_if_index = this.#add({
          name: `tap${this.#next}`,
          mac: fields.mac_address,
          namespace,
          device: fields.host_if_name,
          tag: fields.tag,
        });
        return 0;
      });
      return { ...reply, sw_if_index };
    });
    this.vpp.reply(
      "tap_delete_v2",
      ({ sw_if_index }) =>
        this.#onInterface(sw_if_index, ({ namespace, device }) => {
          this.#interfaces.delete(sw_if_index);
          namespace?.removeLink(device);
          // Its routes stay, as in VPP, and lead nowhere.
          return 0;
        }),
    );
    this.vpp.reply(
      "sw_interface_set_flags",
      ({ sw_if_index, flags }) =>
        this.#onInterface(sw_if_index, (found) => {
          found.up = flags === 1;
          return 0;
        }),
    );
    this.vpp.reply(
      "sw_interface_set_mtu",
      ({ sw_if_index, mtu }) =>
        this.#onInterface(sw_if_index, (found) => {
          found.mtu = mtu[0] ?? 0;
          return 0;
        }),
    );
    this.vpp.reply(
      "sw_interface_tag_add_del",
      ({ sw_if_index, tag }) =>
        this.#onInterface(sw_if_index, (found) => {
          found.tag = tag;
          return 0;
        }),
    );
    this.vpp.details(
      "sw_interface_dump",
      ({ sw_if_index }) =>
        [...this.#interfaces].filter(([index]) =>
          sw_if_index === 0xffffffff || sw_if_index === index
        ).map(([index, each]) => ({
          sw_if_index: index,
          interface_name: each.name,
          tag: each.tag,
          l2_address: each.mac,
          flags: each.up ? 1 : 0,
          mtu: [each.mtu, 0, 0, 0],
        })),
    );
  }

  #serveIp(): void {
    this.vpp.reply(
      "sw_interface_add_del_address",
      ({ sw_if_index, is_add, prefix }) =>
        this.#onInterface(sw_if_index, ({ addresses }) => {
          const key = String(fromPrefix(prefix));
          if (is_add) addresses.set(key, { ...prefix.address, len: prefix.len });
          else addresses.delete(key);
          return 0;
        }),
    );
    this.vpp.details(
      "ip_address_dump",
      ({ sw_if_index, is_ipv6 }) =>
        [...this.#interfaces.get(sw_if_index)?.addresses.values() ?? []]
          .filter(({ af }) => (af === 1) === is_ipv6)
          .map(({ len, ...address }) => ({ sw_if_index, prefix: { address, len } })),
    );
    this.vpp.reply(
      "sw_interface_set_unnumbered",
      (fields) =>
        this.#onInterface(fields.unnumbered_sw_if_index, (found) => {
          found.lender = fields.is_add ? fields.sw_if_index : undefined;
          return 0;
        }),
    );
    this.vpp.details(
      "ip_unnumbered_dump",
      () =>
        [...this.#interfaces].flatMap(([sw_if_index, { lender }]) =>
          lender === undefined ? [] : [{ sw_if_index, ip_sw_if_index: lender }]
        ),
    );
    this.vpp.reply(
      "urpf_update_v2",
      ({ sw_if_index, mode, af }) =>
        this.#onInterface(sw_if_index, ({ checked }) => {
          if (mode === UrpfMode.STRICT) checked.add(af);
          else checked.delete(af);
          return 0;
        }),
    );
    this.vpp.details(
      "urpf_interface_dump",
      () =>
        [...this.#interfaces].flatMap(([sw_if_index, { checked }]) =>
          [...checked].map((af) => ({ sw_if_index, is_input: true, mode: UrpfMode.STRICT, af }))
        ),
    );
    this.vpp.reply("ip_neighbor_add_del", ({ is_add, neighbor }) => ({
      ...this.#onInterface(neighbor.sw_if_index, ({ neighbours }) => {
        const address = neighbor.ip_address;
        const key = String(fromAddress(address));
        if (is_add) neighbours.set(key, { address, mac: neighbor.mac_address });
        else neighbours.delete(key);
        return 0;
      }),
    }));
    this.vpp.reply("ip_neighbor_config", ({ af, max_age, max_number, recycle }) => ({
      ...this.#change(() => {
        this.#neighbourConfigs.set(af, { max_age, max_number, recycle });
        return 0;
      }),
    }));
    this.vpp.reply("ip_neighbor_config_get", ({ af }) => ({
      af,
      ...this.#neighbourConfigs.get(af) ?? { max_age: 0, max_number: 50_000, recycle: false },
    }));
    this.vpp.details(
      "ip_neighbor_dump",
      ({ af }) =>
        [...this.#interfaces].flatMap(([sw_if_index, { neighbours }]) =>
          [...neighbours.values()].filter(({ address }) => address.af === af).map((each) => ({
            neighbor: { sw_if_index, flags: 1, mac_address: each.mac, ip_address: each.address },
          }))
        ),
    );
    this.vpp.reply("ip_route_add_del_v2", ({ is_add, route }) => ({
      ...this.#change(() => {
        const key = String(fromPrefix(route.prefix));
        if (is_add) this.#routes.set(key, route);
        else this.#routes.delete(key);
        return 0;
      }),
    }));
    this.vpp.details(
      "ip_route_v2_dump",
      ({ table }) =>
        [...this.#routes.values()].filter(({ prefix }) =>
          (prefix.address.af === 1) === table.is_ip6
        ).map((route) => ({ route })),
    );
  }
}
