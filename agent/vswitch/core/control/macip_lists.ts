import type { Interface } from "../interface.ts";
import { Retval } from "../retval.ts";
import { MacipRules } from "../tables/macip_rules.ts";
import { type MacipListInfo, type MacipRule, NONE } from "../types.ts";

interface MacipList {
  readonly tag: string;
  readonly rules: readonly MacipRule[];
  readonly ip4: MacipRules;
  readonly ip6: MacipRules;
}

/** Lists of senders and the interfaces that they hold for (plugins/acl/acl.api: MACIP). */
export class MacipLists {
  readonly #interfaces: readonly (Interface | undefined)[];
  readonly #lists: (MacipList | undefined)[] = [];
  /** Freed indices; the last one is used first, as in VPP's pools. */
  readonly #freed: number[] = [];
  /** One more than the highest index of an interface that ever had one. */
  #reach = 0;

  constructor(interfaces: readonly (Interface | undefined)[]) {
    this.#interfaces = interfaces;
  }

  /**
   * Makes a list, or puts another in its place (API: macip_acl_add_replace).
   * @param index {@link NONE} for a new one
   */
  addReplace(
    index: number,
    tag: string,
    rules: readonly MacipRule[],
  ): { retval: number; index: number } {
    if (index !== NONE && this.#lists[index] === undefined) {
      return { retval: Retval.NO_SUCH_ENTRY, index };
    }
    const at = index === NONE ? this.#freed.pop() ?? this.#lists.length : index;
    const list = { tag, rules, ip4: MacipRules.of(4, rules), ip6: MacipRules.of(6, rules) };
    this.#lists[at] = list;
    for (const each of this.#users(at)) set(each, at, list);
    return { retval: Retval.OK, index: at };
  }

  /** Removes a list, also from the interfaces that it holds for (API: macip_acl_del). */
  remove(index: number): number {
    if (this.#lists[index] === undefined) return Retval.NO_SUCH_ENTRY;
    for (const each of this.#users(index)) set(each, undefined, undefined);
    this.#lists[index] = undefined;
    this.#freed.push(index);
    return Retval.OK;
  }

  /**
   * Has a list hold for an interface, in the place of any other, or none
   * (API: macip_acl_interface_add_del).
   */
  apply(swIfIndex: number, isAdd: boolean, index: number): number {
    const at = this.#interfaces[swIfIndex];
    if (at === undefined) return Retval.INVALID_SW_IF_INDEX;
    if (!isAdd) {
      if (at.macipIndex === undefined) return Retval.NO_SUCH_ENTRY;
      set(at, undefined, undefined);
      return Retval.OK;
    }
    const list = this.#lists[index];
    if (list === undefined) return Retval.NO_SUCH_ENTRY;
    set(at, index, list);
    this.#reach = Math.max(this.#reach, swIfIndex + 1);
    return Retval.OK;
  }

  /** One list or, for {@link NONE}, all (API: macip_acl_dump). */
  *list(index: number): Generator<MacipListInfo> {
    for (const [at, list] of this.#lists.entries()) {
      if (list === undefined || (index !== NONE && index !== at)) continue;
      yield { index: at, tag: list.tag, rules: list.rules };
    }
  }

  /**
   * Which list holds for one interface or, for {@link NONE}, for each that has one
   * (API: macip_acl_interface_list_dump). Asked for one below the highest that ever had one, VPP
   * says {@link NONE} of it.
   */
  *applied(swIfIndex: number): Generator<{ swIfIndex: number; index: number }> {
    if (swIfIndex !== NONE) {
      if (swIfIndex >= this.#reach) return;
      yield { swIfIndex, index: this.#interfaces[swIfIndex]?.macipIndex ?? NONE };
      return;
    }
    for (const at of this.#interfaces) {
      if (at?.macipIndex !== undefined) yield { swIfIndex: at.swIfIndex, index: at.macipIndex };
    }
  }

  *#users(index: number): Generator<Interface> {
    for (const at of this.#interfaces) if (at?.macipIndex === index) yield at;
  }
}

/** A list without rules lets everything pass, as in VPP. */
function set(at: Interface, index: number | undefined, list: MacipList | undefined): void {
  const checks = list !== undefined && list.rules.length > 0;
  at.macipIndex = index;
  at.ip4Macip = checks ? list.ip4 : undefined;
  at.ip6Macip = checks ? list.ip6 : undefined;
}
