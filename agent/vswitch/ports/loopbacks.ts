import { MacAddress } from "@contiv/net";
import { NONE, Retval } from "../core/mod.ts";
import type { Created, InterfacesOptions } from "./interfaces_options.ts";
import { LoopbackPort } from "./loopback_port.ts";

/** VPP's LOOPBACK_MAX_INSTANCE. */
const MAX_INSTANCE = 16 * 1024;

/** VPP's INVALID_REGISTRATION: the instance is taken or out of range. */
const INVALID_REGISTRATION = -31;

/** Loopback interfaces: `loop<instance>`. */
export class Loopbacks {
  readonly #options: InterfacesOptions;
  readonly #instances = new Map<number, number>();

  constructor(options: InterfacesOptions) {
    this.#options = options;
  }

  /**
   * Makes a loopback, with the lowest free instance if none is wanted.
   * @param mac undefined gives VPP's `de:ad:00:00:00:<instance>`
   */
  create(mac: MacAddress | undefined, wanted: number | undefined): Created {
    const instance = wanted ?? this.#lowestFree();
    if (instance >= MAX_INSTANCE || this.#instances.has(instance)) {
      return { retval: INVALID_REGISTRATION, swIfIndex: NONE };
    }
    const { announce, dataplane, ports } = this.#options;
    const swIfIndex = dataplane.createInterface({
      kind: "loopback",
      name: `loop${instance}`,
      mac: mac ?? MacAddress.from(Uint8Array.of(0xde, 0xad, 0, 0, 0, instance & 0xff)),
    });
    this.#instances.set(instance, swIfIndex);
    ports.add(swIfIndex, new LoopbackPort());
    announce(swIfIndex);
    return { retval: Retval.OK, swIfIndex };
  }

  /** Removes a loopback. */
  delete(swIfIndex: number): number {
    for (const [instance, index] of this.#instances) {
      if (index !== swIfIndex) continue;
      this.#instances.delete(instance);
      void this.#options.ports.remove(swIfIndex)?.close();
      return this.#options.dataplane.deleteInterface(swIfIndex);
    }
    return Retval.INVALID_SW_IF_INDEX;
  }

  #lowestFree(): number {
    let instance = 0;
    while (this.#instances.has(instance)) instance++;
    return instance;
  }
}
