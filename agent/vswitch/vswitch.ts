import type { Logger } from "@contiv/log";
import { ApiServer } from "./api/mod.ts";
import { EventHub } from "./api/event_hub.ts";
import { createDataplane, type Dataplane } from "./core/mod.ts";
import { Forwarder, type Poller } from "./forwarder.ts";
import { Interfaces } from "./ports/interfaces.ts";
import type { PortFactory } from "./ports/port_factory.ts";
import { PortTable } from "./ports/port_table.ts";
import { Transmitter } from "./ports/transmitter.ts";

/** What a switch needs of its surroundings. */
export interface VswitchOptions {
  readonly factory: PortFactory;
  readonly poller: Poller;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
  /** Told to clients, who take a new number for a restart. */
  readonly pid: number;
  readonly logger: Logger;
  /** Fills an array with random octets. */
  readonly random: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** API clients at once. @default 1024 */
  readonly maxClients?: number;
}

/** A whole switch: data plane, ports, forwarder and API, put together. */
export class Vswitch {
  readonly dataplane: Dataplane;
  readonly ports: PortTable;
  readonly forwarder: Forwarder;
  readonly server: ApiServer;

  constructor({ factory, poller, now, pid, logger, random, maxClients }: VswitchOptions) {
    this.ports = new PortTable();
    const { ports } = this;
    const transmitter = new Transmitter(ports);
    const events = new EventHub();
    const dataplane = createDataplane({
      emit: (swIfIndex, buffer, offset, length) =>
        transmitter.emit(swIfIndex, buffer, offset, length),
      onEvent: (event) => events.publish(event),
    });
    this.dataplane = dataplane;
    this.forwarder = new Forwarder({ dataplane, ports, transmitter, poller, now, logger });
    const announce = (swIfIndex: number): void => {
      const { adminUp = false, linkUp = false } = dataplane.interface(swIfIndex) ?? {};
      events.publish({ kind: "interface", swIfIndex, adminUp, linkUp, deleted: false });
    };
    const interfaces = new Interfaces({ dataplane, ports, factory, logger, random, announce });
    this.server = new ApiServer(
      { dataplane, interfaces, events, logger, pid, now },
      maxClients,
    );
  }

  /** Ends sessions and forwarding, and closes the ports; what persists on the host stays. */
  async close(): Promise<void> {
    this.forwarder.stop();
    await this.server.close();
    const open = [...this.ports];
    for (const [swIfIndex] of open) this.ports.remove(swIfIndex);
    await Promise.all(open.map(([, port]) => port.close()));
  }
}
