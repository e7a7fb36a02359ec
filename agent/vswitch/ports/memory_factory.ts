import { MemoryPort } from "./memory_port.ts";
import type { OpenPacket, OpenTap, PacketSpec, PortFactory, TapSpec } from "./port_factory.ts";

/** Makes {@link MemoryPort}s, for tests; keeps what it was asked for and can be told to fail. */
export class MemoryFactory implements PortFactory {
  readonly taps = new Map<string, { spec: TapSpec; port: MemoryPort }>();
  readonly packets = new Map<string, { spec: PacketSpec; port: MemoryPort }>();
  /** Names of TAPs removed, in order. */
  readonly removed: string[] = [];
  /** Links of the host set up or down, in order. */
  readonly hostLinks: { hostIfName: string; up: boolean }[] = [];
  /** Thrown by the next call, once. */
  failure: Error | undefined;

  openTap(spec: TapSpec): Promise<OpenTap> {
    if (this.failure !== undefined) return this.#fail();
    const hostIfName = spec.hostIfName ?? `tap${this.taps.size}`;
    const port = new MemoryPort();
    this.taps.set(hostIfName, { spec, port });
    return Promise.resolve({ port, hostIfName });
  }

  openPacket(spec: PacketSpec): Promise<OpenPacket> {
    if (this.failure !== undefined) return this.#fail();
    const port = new MemoryPort();
    this.packets.set(spec.hostIfName, { spec, port });
    return Promise.resolve({ port, mtu: 1500, segmentsUdp: true });
  }

  setHostLink(hostIfName: string, up: boolean): void {
    this.hostLinks.push({ hostIfName, up });
  }

  removeTap(open: OpenTap): void {
    this.removed.push(open.hostIfName);
    this.taps.delete(open.hostIfName);
    void open.port.close();
  }

  #fail(): Promise<never> {
    const { failure } = this;
    this.failure = undefined;
    return Promise.reject(failure);
  }
}
