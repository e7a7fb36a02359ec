import { MacAddress } from "@contiv/net";
import { type Messages, Retval } from "@contiv/vppapi";
import type { FakeVpp } from "@contiv/vppapi/testing.ts";
import { fromPrefix } from "./_api.ts";
import type { FakeInterfaces } from "./fake_vpp_network.ts";

/** VPP's `~0`. */
const NONE = 0xffffffff;

type List = Pick<Messages["macip_acl_details"], "tag" | "r">;

/** Lists of senders of a fake VPP, and where they are applied. */
export class FakeVppSenders {
  readonly #interfaces: FakeInterfaces;
  readonly #lists = new Map<number, List>();
  readonly #applied = new Map<number, number>();

  constructor(vpp: FakeVpp, interfaces: FakeInterfaces) {
    this.#interfaces = interfaces;
    this.#serve(vpp);
  }

  clear(): void {
    this.#lists.clear();
    this.#applied.clear();
  }

  /** Everything in it, as text. */
  get contents(): readonly string[] {
    return [
      ...[...this.#lists.values()].map(({ tag, r }) => {
        const senders = r.map(({ is_permit, src_mac, src_mac_mask, src_prefix }) => {
          const [mac, mask] = [MacAddress.from(src_mac), MacAddress.from(src_mac_mask)];
          return `${is_permit} ${mac} mask ${mask} ${fromPrefix(src_prefix)}`;
        });
        return `senders of ${tag}: ${senders.join(", ")}`;
      }),
      ...this.#entries().map(([swIfIndex, index]) => {
        const name = this.#interfaces.nameOf(swIfIndex)?.replace(/^tap\d+/, "tap");
        return `${name} takes senders of ${this.#lists.get(index)?.tag}`;
      }),
    ];
  }

  /** Applications go with their interfaces. */
  #entries(): readonly (readonly [swIfIndex: number, index: number])[] {
    return [...this.#applied].filter(([swIfIndex]) =>
      this.#interfaces.nameOf(swIfIndex) !== undefined
    );
  }

  #serve(vpp: FakeVpp): void {
    vpp.reply("macip_acl_add_replace", ({ acl_index, tag, r }) => {
      let index = acl_index;
      const reply = this.#interfaces.change(() => {
        if (index === NONE) { for (index = 0; this.#lists.has(index);) index++; }
        else if (!this.#lists.has(index)) return Retval.NO_SUCH_ENTRY;
        this.#lists.set(index, { tag, r });
        return 0;
      });
      return { ...reply, acl_index: index };
    });
    vpp.reply("macip_acl_del", ({ acl_index }) =>
      this.#interfaces.change(() => {
        if (!this.#lists.delete(acl_index)) return Retval.NO_SUCH_ENTRY;
        for (const [swIfIndex, index] of this.#applied) {
          if (index === acl_index) this.#applied.delete(swIfIndex);
        }
        return 0;
      }));
    vpp.details(
      "macip_acl_dump",
      () => [...this.#lists].map(([acl_index, list]) => ({ acl_index, ...list })),
    );
    vpp.reply(
      "macip_acl_interface_add_del",
      ({ is_add, sw_if_index, acl_index }) =>
        this.#interfaces.onInterface(sw_if_index, () => {
          if (!is_add) return this.#applied.delete(sw_if_index) ? 0 : Retval.NO_SUCH_ENTRY;
          if (!this.#lists.has(acl_index)) return Retval.NO_SUCH_ENTRY;
          this.#applied.set(sw_if_index, acl_index);
          return 0;
        }),
    );
    vpp.details(
      "macip_acl_interface_list_dump",
      () => this.#entries().map(([sw_if_index, index]) => ({ sw_if_index, acls: [index] })),
    );
  }
}
