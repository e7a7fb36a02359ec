import { type Dataplane, Retval, type VxlanKey } from "../core/mod.ts";
import type { Created, InterfacesOptions } from "./interfaces_options.ts";
import { Loopbacks } from "./loopbacks.ts";
import { PacketInterfaces } from "./packet_interfaces.ts";
import { randomMac } from "./random_mac.ts";
import { Taps } from "./taps.ts";

/** Makes and removes the interfaces of the switch, each with its port. */
export class Interfaces {
  readonly loopbacks: Loopbacks;
  readonly taps: Taps;
  readonly packets: PacketInterfaces;

  readonly #dataplane: Dataplane;
  readonly #options: InterfacesOptions;

  constructor(options: InterfacesOptions) {
    this.#options = options;
    this.#dataplane = options.dataplane;
    this.loopbacks = new Loopbacks(options);
    this.taps = new Taps(options);
    this.packets = new PacketInterfaces(options);
  }

  /** Makes a VXLAN tunnel: an interface without a port. */
  addTunnel(key: VxlanKey, instance: number | undefined): Created {
    const mac = randomMac(this.#options.random);
    const created = this.#dataplane.tunnels.add(key, instance, mac);
    if (created.retval === Retval.OK) this.#options.announce(created.swIfIndex);
    return created;
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
