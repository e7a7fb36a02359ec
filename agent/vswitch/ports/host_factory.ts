import { type Libc, Tap } from "@contiv/libc";
import type { Logger } from "@contiv/log";
import { Retval } from "@contiv/vppapi";
import type { Plumbed, PlumberRequest } from "./_plumber_protocol.ts";
import { adoptPacket } from "./_plumb_packet.ts";
import type { Plumber } from "./plumber.ts";
import { PortError } from "./port_error.ts";
import type { OpenPacket, OpenTap, PacketSpec, PortFactory, TapSpec } from "./port_factory.ts";
import { TapPort } from "./tap_port.ts";

/** Makes ports of TAPs and interfaces of this machine. */
export class HostFactory implements PortFactory {
  readonly #libc: Libc;
  readonly #plumber: Plumber;
  readonly #logger: Logger;
  /** TAPs that the kernel is removing, by the host interface's name. */
  readonly #removing = new Map<string, Set<Promise<void>>>();

  constructor(libc: Libc, plumber: Plumber, logger: Logger) {
    this.#libc = libc;
    this.#plumber = plumber;
    this.#logger = logger;
  }

  async openTap(spec: TapSpec): Promise<OpenTap> {
    // The same name in the same namespace is taken until the kernel has let go of it.
    await Promise.all(this.#removing.get(spec.hostIfName ?? "") ?? []);
    const plumbed = await this.#plumb({
      kind: "tap",
      spec: {
        hostIfName: spec.hostIfName,
        hostNamespace: spec.hostNamespace,
        hostBridge: spec.hostBridge,
        hostMac: spec.hostMac.toString(),
        hostMtu: spec.hostMtu,
        hostPrefixes: spec.hostPrefixes.map(String),
        hostGateways: spec.hostGateways.map(String),
        persist: spec.persist,
        offload: spec.gso || spec.checksumOffload,
      },
    });
    const { fd, name, index } = plumbed;
    return { port: new TapPort(Tap.adopt(this.#libc, fd, name, index)), hostIfName: name };
  }

  async openPacket({ hostIfName }: PacketSpec): Promise<OpenPacket> {
    const plumbed = await this.#plumb({ kind: "packet", hostIfName });
    const { mtu, segmentsUdp } = plumbed;
    return { port: adoptPacket(this.#libc, plumbed), mtu, segmentsUdp };
  }

  setHostLink(hostIfName: string, up: boolean): void {
    this.#plumber.do({ kind: "link", hostIfName, up }).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      this.#logger.warn("Host interface not set", { host_if_name: hostIfName, up, reason });
    });
  }

  removeTap({ hostIfName, port }: OpenTap): void {
    if (port instanceof TapPort) port.forget();
    const removing = this.#removing.get(hostIfName) ?? new Set();
    this.#removing.set(hostIfName, removing);
    const removed = port.close().finally(() => {
      removing.delete(removed);
      if (removing.size === 0) this.#removing.delete(hostIfName);
    });
    removing.add(removed);
  }

  /** Resolves when the kernel has let go of every TAP that was removed. */
  async settled(): Promise<void> {
    await Promise.all([...this.#removing.values()].flatMap((removing) => [...removing]));
  }

  async #plumb(request: PlumberRequest): Promise<Plumbed> {
    const plumbed = await this.#plumber.do(request);
    if (plumbed !== undefined) return plumbed;
    throw new PortError(
      Retval.UNSPECIFIED,
      `Cannot plumb ${request.kind}: no descriptor came back`,
    );
  }
}
