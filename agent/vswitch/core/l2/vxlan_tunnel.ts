import type { Family, IpAddress } from "@contiv/net";
import type { FibEntry } from "../fib/entry.ts";
import { addressWord } from "../words.ts";

/** The two ends, ports and network of a VXLAN tunnel (RFC 7348). */
export interface VxlanKey {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** Where it listens, in VPP's words its source port. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly vni: number;
  readonly tableId: number;
}

/** A VXLAN tunnel: an Ethernet link to another node over UDP. */
export class VxlanTunnel implements VxlanKey {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly vni: number;
  readonly tableId: number;
  readonly instance: number;
  readonly swIfIndex: number;
  /** The remote end's route, which is kept resolved. */
  readonly route: FibEntry;
  /** The remote end in words, as packets' sources are compared. */
  readonly remote: Int32Array;
  /** The local end in words. */
  readonly local: Int32Array;

  constructor(key: VxlanKey, instance: number, swIfIndex: number, route: FibEntry) {
    this.source = key.source;
    this.destination = key.destination;
    this.sourcePort = key.sourcePort;
    this.destinationPort = key.destinationPort;
    this.vni = key.vni;
    this.tableId = key.tableId;
    this.instance = instance;
    this.swIfIndex = swIfIndex;
    this.route = route;
    this.remote = Int32Array.from({ length: 4 }, (_, i) => addressWord(key.destination, i));
    this.local = Int32Array.from({ length: 4 }, (_, i) => addressWord(key.source, i));
  }

  get family(): Family {
    return this.destination.family;
  }
}
