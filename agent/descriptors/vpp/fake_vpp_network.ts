import { MacAddress } from "@contiv/net";
import { type Input, Retval } from "@contiv/vppapi";
import type { FakeVpp } from "@contiv/vppapi/testing.ts";
import { fromAddress, fromPrefix } from "./_api.ts";

/** What the other half of the fake VPP does for this one. */
export interface FakeInterfaces {
  /** Carries out a change unless it is the one to fail. */
  change(work: () => number | undefined): { retval: number };
  onInterface(index: number, work: () => number | undefined): { retval: number };
  /** @returns the new interface's index */
  add(name: string, mac: Uint8Array, tag: string): number;
  remove(index: number): void;
  nameOf(index: number): string | undefined;
}

interface Domain {
  readonly tag: string;
  bvi: number | undefined;
  readonly members: Map<number, number>;
  readonly macs: Map<string, number>;
}

/** Tunnels, bridge domains, packet sockets and cnat of a fake VPP. */
export class FakeVppNetwork {
  readonly #interfaces: FakeInterfaces;
  readonly #tunnels = new Map<number, Input<"vxlan_tunnel_v2_details">>();
  /** Interfaces on packet sockets, by their devices. */
  readonly #sockets = new Map<string, number>();
  readonly #domains = new Map<number, Domain>();
  readonly #features = new Set<number>();
  readonly #tables = new Set<string>();
  readonly #excluded = new Set<string>();
  #snat: { readonly ip4: Uint8Array; readonly ip6: Uint8Array } | undefined;
  #policy = 0;

  constructor(vpp: FakeVpp, interfaces: FakeInterfaces) {
    this.#interfaces = interfaces;
    this.#serveTunnels(vpp);
    this.#serveBridges(vpp);
    this.#serveCnat(vpp);
  }

  clear(): void {
    this.#tunnels.clear();
    this.#sockets.clear();
    this.#domains.clear();
    this.#features.clear();
    this.#tables.clear();
    this.#excluded.clear();
    this.#snat = undefined;
    this.#policy = 0;
  }

  /** Everything in it, as text. */
  get contents(): readonly string[] {
    const name = (index: number): string => this.#interfaces.nameOf(index) ?? "nothing";
    return [
      ...[...this.#tunnels.values()].map(({ instance, dst_address, vni }) =>
        `tunnel ${instance} to ${dst_address === undefined ? "" : textOf(dst_address)} vni ${vni}`
      ),
      ...[...this.#domains].flatMap(([id, { bvi, macs, members, tag }]) => [
        `bridge ${id} ${tag} of ${bvi === undefined ? "none" : name(bvi)}`,
        ...[...members].map(([index, group]) => `bridge ${id} has ${name(index)} group ${group}`),
        ...[...macs].map(([mac, index]) => `bridge ${id} mac ${mac} at ${name(index)}`),
      ]),
      ...[...this.#features].map((index) => `cnat on ${name(index)}`),
      ...[...this.#tables].map((entry) => {
        const [index, table] = entry.split(" ");
        return `cnat table ${table} has ${name(Number(index))}`;
      }),
      ...[...this.#excluded].map((prefix) => `cnat leaves ${prefix}`),
      ...this.#snat === undefined ? [] : [`cnat policy ${this.#policy}`],
    ].map((line) => line.replace(/\btap\d+/, "tap"));
  }

  #serveTunnels(vpp: FakeVpp): void {
    vpp.reply("vxlan_add_del_tunnel_v3", (fields) => {
      let sw_if_index = 0xffffffff;
      const known = [...this.#tunnels].find(([, { instance }]) => instance === fields.instance);
      const reply = this.#interfaces.change(() => {
        if (!fields.is_add) {
          if (known === undefined) return Retval.NO_SUCH_ENTRY;
          sw_if_index = known[0];
          this.#interfaces.remove(sw_if_index);
          this.#tunnels.delete(sw_if_index);
          for (const { members } of this.#domains.values()) members.delete(sw_if_index);
          return 0;
        }
        if (known !== undefined) return Retval.TUNNEL_EXIST;
        const mac = new Uint8Array(6);
        sw_if_index = this.#interfaces.add(`vxlan_tunnel${fields.instance}`, mac, "");
        const { instance, src_address, dst_address, src_port, dst_port, vni } = fields;
        this.#tunnels.set(sw_if_index, {
          sw_if_index,
          instance,
          src_address,
          dst_address,
          src_port,
          dst_port,
          vni,
        });
        return 0;
      });
      return { ...reply, sw_if_index };
    });
    vpp.details("vxlan_tunnel_v2_dump", () => [...this.#tunnels.values()]);
    vpp.reply("af_packet_create_v3", ({ host_if_name, hw_addr }) => {
      let sw_if_index = 0;
      const reply = this.#interfaces.change(() => {
        sw_if_index = this.#interfaces.add(`host-${host_if_name}`, hw_addr, "");
        this.#sockets.set(host_if_name, sw_if_index);
        return 0;
      });
      return { ...reply, sw_if_index };
    });
    vpp.reply("af_packet_delete", ({ host_if_name }) => ({
      ...this.#interfaces.change(() => {
        const index = this.#sockets.get(host_if_name);
        if (index === undefined) return Retval.SYSCALL_ERROR_1;
        this.#sockets.delete(host_if_name);
        this.#interfaces.remove(index);
        return 0;
      }),
    }));
  }

  #serveBridges(vpp: FakeVpp): void {
    vpp.reply("bridge_domain_add_del_v2", ({ bd_id, is_add, bd_tag }) => ({
      ...this.#interfaces.change(() => {
        if (!is_add) return this.#domains.delete(bd_id) ? 0 : Retval.NO_SUCH_ENTRY;
        if (this.#domains.has(bd_id)) return Retval.BD_ALREADY_EXISTS;
        this.#domains.set(bd_id, {
          tag: bd_tag,
          bvi: undefined,
          members: new Map(),
          macs: new Map(),
        });
        return 0;
      }),
      bd_id,
    }));
    vpp.reply(
      "sw_interface_set_l2_bridge",
      ({ rx_sw_if_index, bd_id, enable, port_type, shg }) =>
        this.#interfaces.onInterface(rx_sw_if_index, () => {
          for (const domain of this.#domains.values()) {
            domain.members.delete(rx_sw_if_index);
            if (domain.bvi === rx_sw_if_index) domain.bvi = undefined;
          }
          if (!enable) return 0;
          const domain = this.#domains.get(bd_id);
          domain?.members.set(rx_sw_if_index, shg);
          if (domain !== undefined && port_type === 1) domain.bvi = rx_sw_if_index;
          return 0;
        }),
    );
    vpp.reply(
      "l2fib_add_del",
      ({ bd_id, is_add, mac, sw_if_index }) =>
        this.#interfaces.change(() => {
          const domain = this.#domains.get(bd_id);
          if (domain === undefined) return Retval.NO_SUCH_ENTRY;
          const key = MacAddress.from(mac).toString();
          if (!is_add) return domain.macs.delete(key) ? 0 : Retval.NO_SUCH_ENTRY;
          domain.macs.set(key, sw_if_index);
          return 0;
        }),
    );
    vpp.details(
      "bridge_domain_dump",
      () =>
        [...this.#domains].map(([bd_id, { bvi, members, tag }]) => ({
          bd_id,
          bd_tag: tag,
          forward: true,
          bvi_sw_if_index: bvi ?? 0xffffffff,
          sw_if_details: Array.from(members, ([sw_if_index, shg]) => ({
            context: 0,
            sw_if_index,
            shg,
          })),
        })),
    );
    vpp.details(
      "l2_fib_table_dump",
      ({ bd_id }) =>
        [...this.#domains.get(bd_id)?.macs ?? []].map(([mac, sw_if_index]) => ({
          bd_id,
          mac: MacAddress.parse(mac).bytes,
          sw_if_index,
          static_mac: true,
        })),
    );
  }

  #serveCnat(vpp: FakeVpp): void {
    vpp.reply("feature_gso_enable_disable", { retval: 0 });
    vpp.reply(
      "feature_cnat_enable_disable",
      ({ sw_if_index, enable_disable }) =>
        this.#interfaces.onInterface(sw_if_index, () => {
          if (enable_disable) this.#features.add(sw_if_index);
          else this.#features.delete(sw_if_index);
          return 0;
        }),
    );
    vpp.reply(
      "cnat_snat_policy_add_del_if",
      ({ sw_if_index, is_add, table }) =>
        this.#interfaces.onInterface(sw_if_index, () => {
          if (this.#snat === undefined) return Retval.FEATURE_DISABLED;
          if (is_add !== 0) this.#tables.add(`${sw_if_index} ${table}`);
          else this.#tables.delete(`${sw_if_index} ${table}`);
          return 0;
        }),
    );
    vpp.reply(
      "cnat_set_snat_addresses_v2",
      ({ snat_ip4, snat_ip6 }) =>
        this.#interfaces.change(() => {
          this.#snat = { ip4: snat_ip4.slice(), ip6: snat_ip6.slice() };
          return 0;
        }),
    );
    vpp.reply("cnat_set_snat_policy", ({ policy }) =>
      this.#interfaces.change(() => {
        this.#policy = policy;
        return this.#snat === undefined ? Retval.FEATURE_DISABLED : 0;
      }));
    vpp.reply(
      "cnat_get_snat_addresses",
      () =>
        this.#snat === undefined ? { retval: Retval.FEATURE_DISABLED } : {
          retval: 0,
          snat_ip4: this.#snat.ip4,
          snat_ip6: this.#snat.ip6,
          sw_if_index: 0xffffffff,
        },
    );
    vpp.reply(
      "cnat_snat_policy_add_del_exclude_pfx",
      ({ prefix, is_add }) =>
        this.#interfaces.change(() => {
          if (this.#snat === undefined) return Retval.FEATURE_DISABLED;
          const text = String(fromPrefix(prefix));
          if (is_add !== 0) this.#excluded.add(text);
          else this.#excluded.delete(text);
          return 0;
        }),
    );
  }
}

function textOf(address: Parameters<typeof fromAddress>[0] | object): string {
  return String(fromAddress(address as Parameters<typeof fromAddress>[0]));
}
