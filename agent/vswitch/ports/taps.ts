import type { MacAddress } from "@contiv/net";
import { NONE, Retval } from "../core/mod.ts";
import type { Created, InterfacesOptions } from "./interfaces_options.ts";
import { PortError } from "./port_error.ts";
import type { OpenTap, TapSpec } from "./port_factory.ts";
import { randomMac } from "./random_mac.ts";

/** VPP's TAP_MAX_INSTANCE. */
const MAX_ID = 8192;

/** What `tap_create_v3` asks for. */
export interface TapRequest {
  /** {@link NONE} takes the lowest free. */
  readonly id: number;
  /** Our side's address; undefined for a random one. */
  readonly mac: MacAddress | undefined;
  /** The host's side; its MAC address may be left to chance. */
  readonly host: Omit<TapSpec, "hostMac"> & { readonly hostMac: MacAddress | undefined };
  /** `tap_flags`, to be told again. */
  readonly flags: number;
  readonly rxRingSize: number;
  readonly txRingSize: number;
  readonly tag: string;
}

/** A TAP as `sw_interface_tap_v2_details` tells of it. */
export interface TapDetails {
  readonly id: number;
  readonly swIfIndex: number;
  readonly name: string;
  readonly flags: number;
  readonly rxRingSize: number;
  readonly txRingSize: number;
  readonly hostIfName: string;
  readonly host: TapSpec;
}

/** TAP interfaces: `tap<id>`. */
export class Taps {
  readonly #options: InterfacesOptions;
  readonly #taps = new Map<number, TapDetails & { open: OpenTap }>();
  readonly #ids = new Set<number>();

  constructor(options: InterfacesOptions) {
    this.#options = options;
  }

  /** Makes a TAP whole, with its host's side configured, or not at all. */
  async create(request: TapRequest): Promise<Created> {
    const { announce, dataplane, factory, logger, ports, random } = this.#options;
    if (request.id !== NONE && this.#ids.has(request.id)) {
      return { retval: Retval.INVALID_INTERFACE, swIfIndex: NONE };
    }
    const id = request.id === NONE ? this.#lowestFree() : request.id;
    if (id > MAX_ID) return { retval: Retval.UNSPECIFIED, swIfIndex: NONE };
    const host = { ...request.host, hostMac: request.host.hostMac ?? randomMac(random) };
    this.#ids.add(id);
    let open: OpenTap;
    try {
      open = await factory.openTap(host);
    } catch (error) {
      this.#ids.delete(id);
      if (!(error instanceof PortError)) throw error;
      logger.warn("TAP not created", {
        host_if_name: host.hostIfName,
        host_namespace: host.hostNamespace,
        retval: error.retval,
        reason: error.message,
      });
      return { retval: error.retval, swIfIndex: NONE };
    }
    const name = `tap${id}`;
    const swIfIndex = dataplane.createInterface({
      kind: "tap",
      name,
      mac: request.mac ?? randomMac(random),
      tag: request.tag,
    });
    const { flags, rxRingSize, txRingSize } = request;
    const { hostIfName } = open;
    const details = { id, swIfIndex, name, flags, rxRingSize, txRingSize, hostIfName, host };
    this.#taps.set(swIfIndex, { ...details, open });
    ports.add(swIfIndex, open.port);
    announce(swIfIndex);
    return { retval: Retval.OK, swIfIndex };
  }

  /** Removes a TAP, and its host's side in the background. */
  delete(swIfIndex: number): number {
    const tap = this.#taps.get(swIfIndex);
    if (tap === undefined) return Retval.INVALID_SW_IF_INDEX;
    this.#taps.delete(swIfIndex);
    this.#ids.delete(tap.id);
    const { dataplane, factory, ports } = this.#options;
    ports.remove(swIfIndex);
    const retval = dataplane.deleteInterface(swIfIndex);
    factory.removeTap(tap.open);
    return retval;
  }

  /** Every TAP, in the order of creation. */
  details(): IterableIterator<TapDetails> {
    return this.#taps.values();
  }

  #lowestFree(): number {
    let id = 0;
    while (this.#ids.has(id)) id++;
    return id;
  }
}
