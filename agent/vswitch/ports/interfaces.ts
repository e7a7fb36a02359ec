import { type Dataplane, Retval } from "../core/mod.ts";
import type { InterfacesOptions } from "./interfaces_options.ts";
import { Loopbacks } from "./loopbacks.ts";
import { PacketInterfaces } from "./packet_interfaces.ts";
import { Taps } from "./taps.ts";

/** Makes and removes the interfaces of the switch, each with its port. */
export class Interfaces {
  readonly loopbacks: Loopbacks;
  readonly taps: Taps;
  readonly packets: PacketInterfaces;

  readonly #dataplane: Dataplane;

  constructor(options: InterfacesOptions) {
    this.#dataplane = options.dataplane;
    this.loopbacks = new Loopbacks(options);
    this.taps = new Taps(options);
    this.packets = new PacketInterfaces(options);
  }

  /** Sets an interface up or down; as in VPP, the host's interface below it goes with it. */
  setAdmin(swIfIndex: number, up: boolean): number {
    const retval = this.#dataplane.setFlags(swIfIndex, up);
    if (retval !== Retval.OK) return retval;
    if (this.#dataplane.interface(swIfIndex)?.kind === "af_packet") {
      this.#dataplane.setLinkUp(swIfIndex, up);
      this.packets.setHostLink(swIfIndex, up);
    }
    return retval;
  }
}
