import type { MacAddress } from "@contiv/net";
import { NONE, Retval } from "../core/mod.ts";
import type { Created, InterfacesOptions } from "./interfaces_options.ts";
import { PortError } from "./port_error.ts";
import type { OpenPacket } from "./port_factory.ts";
import { randomMac } from "./random_mac.ts";

/** Interfaces on top of interfaces of the host: `host-<name>`. */
export class PacketInterfaces {
  readonly #options: InterfacesOptions;
  /** By the host interface's name; undefined while one is being made. */
  readonly #interfaces = new Map<string, number | undefined>();

  constructor(options: InterfacesOptions) {
    this.#options = options;
  }

  /** Attaches to an interface of the host; one that is attached already is told again. */
  async create(hostIfName: string, mac: MacAddress | undefined): Promise<Created> {
    if (this.#interfaces.has(hostIfName)) {
      const swIfIndex = this.#interfaces.get(hostIfName) ?? NONE;
      return { retval: Retval.IF_ALREADY_EXISTS, swIfIndex };
    }
    const { announce, dataplane, factory, logger, ports, random } = this.#options;
    this.#interfaces.set(hostIfName, undefined);
    let open: OpenPacket;
    try {
      open = await factory.openPacket({ hostIfName });
    } catch (error) {
      this.#interfaces.delete(hostIfName);
      if (!(error instanceof PortError)) throw error;
      const { message: reason, retval } = error;
      logger.warn("Host interface not attached", { host_if_name: hostIfName, retval, reason });
      return { retval, swIfIndex: 0 };
    }
    const swIfIndex = dataplane.createInterface({
      kind: "af_packet",
      name: `host-${hostIfName}`,
      mac: mac ?? randomMac(random),
      segmentsUdp: open.segmentsUdp,
    });
    this.#interfaces.set(hostIfName, swIfIndex);
    ports.add(swIfIndex, open.port);
    announce(swIfIndex);
    return { retval: Retval.OK, swIfIndex };
  }

  /** Detaches from an interface of the host. */
  delete(hostIfName: string): number {
    const swIfIndex = this.#interfaces.get(hostIfName);
    if (swIfIndex === undefined) return Retval.SYSCALL_ERROR_1;
    this.#interfaces.delete(hostIfName);
    const port = this.#options.ports.remove(swIfIndex);
    const retval = this.#options.dataplane.deleteInterface(swIfIndex);
    void port?.close();
    return retval;
  }

  /** Sets the host's interface up or down, in the background. */
  setHostLink(swIfIndex: number, up: boolean): void {
    for (const [hostIfName, index] of this.#interfaces) {
      if (index === swIfIndex) this.#options.factory.setHostLink(hostIfName, up);
    }
  }

  /** Every attached interface, in the order of creation. */
  *details(): IterableIterator<{ hostIfName: string; swIfIndex: number }> {
    for (const [hostIfName, swIfIndex] of this.#interfaces) {
      if (swIfIndex !== undefined) yield { hostIfName, swIfIndex };
    }
  }
}
