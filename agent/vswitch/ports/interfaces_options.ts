import type { Logger } from "@contiv/log";
import type { Dataplane } from "../core/mod.ts";
import type { PortFactory } from "./port_factory.ts";
import type { PortTable } from "./port_table.ts";

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
