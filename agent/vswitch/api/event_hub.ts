import type { IpAddress } from "@contiv/net";
import type { EventName, Input } from "@contiv/vppapi";
import type { DataplaneEvent, NeighborInfo } from "../core/mod.ts";
import { addressToApi, macToApi, neighborFlags } from "./convert.ts";

/** Where events go. */
export interface Subscriber {
  event<N extends EventName>(name: N, fields: Input<N>): void;
}

/** VPP's `if_status_flags` (vnet/interface_types.api). */
const ADMIN_UP = 1;
const LINK_UP = 2;

/** VPP's `ip_neighbor_event_flags` (vnet/ip-neighbor/ip_neighbor.api). */
const NEIGHBOR_EVENT = { added: 1, removed: 2 } as const;

/** VPP's `~0`: every interface. */
const ANY_INTERFACE = 0xffffffff;

interface NeighborWatch {
  readonly subscriber: object;
  readonly pid: number;
  readonly swIfIndex: number;
  /** Undefined watches every address of either family. */
  readonly address: IpAddress | undefined;
}

type InterfaceChange = DataplaneEvent & { kind: "interface" };

/**
 * Who wants which events, and their way there. Events of an interface that come in one turn of the
 * event loop become one, as in VPP, and leave behind the reply to the message that caused them.
 */
export class EventHub {
  readonly #interfaceEvents = new Map<object, { subscriber: Subscriber; pid: number }>();
  readonly #neighborEvents: (NeighborWatch & { subscriber: Subscriber })[] = [];
  readonly #changes = new Map<number, InterfaceChange>();
  #neighbors: (DataplaneEvent & { kind: "neighbor" })[] = [];
  #scheduled = false;

  /** Takes what the data plane tells. */
  publish(event: DataplaneEvent): void {
    if (event.kind === "interface") {
      if (this.#interfaceEvents.size === 0) return;
      const gone = this.#changes.get(event.swIfIndex)?.deleted ?? false;
      this.#changes.set(event.swIfIndex, { ...event, deleted: event.deleted || gone });
    } else {
      if (this.#neighborEvents.length === 0) return;
      this.#neighbors.push(event);
    }
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#flush());
  }

  /** @returns whether this changed anything: VPP refuses a second registration and a second end */
  wantInterfaceEvents(subscriber: Subscriber, enable: boolean, pid: number): boolean {
    if (!enable) return this.#interfaceEvents.delete(subscriber);
    if (this.#interfaceEvents.has(subscriber)) return false;
    this.#interfaceEvents.set(subscriber, { subscriber, pid });
    return true;
  }

  /** Watches, or ceases to watch, one address or all, on one interface or on all (0 or ~0). */
  wantNeighborEvents(
    subscriber: Subscriber,
    enable: boolean,
    pid: number,
    swIfIndex: number,
    address: IpAddress | undefined,
  ): void {
    const watch = {
      subscriber,
      pid,
      swIfIndex: swIfIndex === 0 ? ANY_INTERFACE : swIfIndex,
      address,
    };
    const at = this.#neighborEvents.findIndex((other) =>
      other.subscriber === subscriber && other.pid === pid && other.swIfIndex === watch.swIfIndex &&
      (address === undefined
        ? other.address === undefined
        : other.address?.equals(address) ?? false)
    );
    if (enable && at < 0) this.#neighborEvents.push(watch);
    else if (!enable && at >= 0) this.#neighborEvents.splice(at, 1);
  }

  /** Forgets all that a client wanted. */
  forget(subscriber: Subscriber): void {
    this.#interfaceEvents.delete(subscriber);
    for (let i = this.#neighborEvents.length - 1; i >= 0; i--) {
      if (this.#neighborEvents[i]?.subscriber === subscriber) this.#neighborEvents.splice(i, 1);
    }
  }

  #flush(): void {
    this.#scheduled = false;
    const changes = [...this.#changes.values()];
    const neighbors = this.#neighbors;
    this.#changes.clear();
    this.#neighbors = [];
    for (const { swIfIndex, adminUp, linkUp, deleted } of changes) {
      const flags = deleted ? 0 : (adminUp ? ADMIN_UP : 0) | (linkUp ? LINK_UP : 0);
      for (const { subscriber, pid } of [...this.#interfaceEvents.values()]) {
        subscriber.event("sw_interface_event", { pid, sw_if_index: swIfIndex, flags, deleted });
      }
    }
    for (const { neighbor, change } of neighbors) {
      for (const watch of [...this.#neighborEvents]) {
        if (!matches(watch, neighbor)) continue;
        watch.subscriber.event("ip_neighbor_event_v2", {
          pid: watch.pid,
          flags: NEIGHBOR_EVENT[change],
          neighbor: {
            sw_if_index: neighbor.swIfIndex,
            flags: neighborFlags(neighbor),
            mac_address: macToApi(neighbor.mac),
            ip_address: addressToApi(neighbor.address),
          },
        });
      }
    }
  }
}

function matches(watch: NeighborWatch, neighbor: NeighborInfo): boolean {
  return (watch.swIfIndex === ANY_INTERFACE || watch.swIfIndex === neighbor.swIfIndex) &&
    (watch.address?.equals(neighbor.address) ?? true);
}
