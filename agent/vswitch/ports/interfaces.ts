import { MacAddress } from "@contiv/net";
import type { Logger } from "@contiv/log";
import { type Dataplane, Retval } from "../core/mod.ts";
import { Loopbacks } from "./loopbacks.ts";
import { PacketInterfaces } from "./packet_interfaces.ts";
import type { PortFactory } from "./port_factory.ts";
import type { PortTable } from "./port_table.ts";
import { Taps } from "./taps.ts";

/** What those who make interfaces share. */
export interface InterfacesOptions {
  readonly dataplane: Dataplane;
  readonly ports: PortTable;
  readonly factory: PortFactory;
  readonly logger: Logger;
  /** Told of every interface made, once it is whole. */
  readonly announce: (swIfIndex: number) => void;
  /** Fills an array with random octets. */
  readonly random: (bytes: Uint8Array<ArrayBuffer>) => void;
}

/** The outcome of making an interface, as VPP's replies give it: ~0 where there is none. */
export interface Created {
  readonly retval: number;
  readonly swIfIndex: number;
}

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

/** A random address in the range that VPP takes its own from, `02:fe:...`. */
export function randomMac(random: InterfacesOptions["random"]): MacAddress {
  const bytes = new Uint8Array(6);
  random(bytes);
  bytes[0] = 0x02;
  bytes[1] = 0xfe;
  return MacAddress.from(bytes);
}
