import type { MacAddress } from "@contiv/net";
import type { Core } from "../core.ts";
import { type VxlanKey, VxlanTunnel } from "../l2/vxlan_tunnel.ts";
import { Retval } from "../retval.ts";
import { NONE } from "../types.ts";
import { addressWord } from "../words.ts";
import { createInterface, deleteInterface, setAdminUp } from "./interfaces.ts";

/** The port of VXLAN (RFC 7348, 5), for either end that is not given. */
const VXLAN_PORT = 4789;
const MAX_VNI = 0xffffff;

/** VXLAN tunnels by the operations of VPP's API (plugins/vxlan/vxlan.api). */
export class Tunnels {
  readonly #core: Core;
  readonly #byInstance = new Map<number, VxlanTunnel>();
  #nextInstance = 0;

  constructor(core: Core) {
    this.#core = core;
  }

  /**
   * Makes a tunnel with its interface, up (API: vxlan_add_del_tunnel_v3).
   * @param instance of `vxlan_tunnel<instance>`; undefined: the lowest free one
   */
  add(
    key: VxlanKey,
    instance: number | undefined,
    mac: MacAddress,
  ): { retval: number; swIfIndex: number } {
    const core = this.#core;
    const retval = this.#check(key);
    if (retval !== Retval.OK) return failed(retval);
    if (this.#find(key)) return failed(Retval.TUNNEL_EXIST);
    const number = instance ?? this.#lowestFree();
    if (this.#byInstance.has(number)) return failed(Retval.INSTANCE_IN_USE);
    const table = core.fib.table(key.destination.family, key.tableId)!;
    const swIfIndex = createInterface(core, { kind: "vxlan", name: `vxlan_tunnel${number}`, mac });
    const at = core.interfaces[swIfIndex]!;
    const route = core.fib.track(table, key.destination);
    const tunnel = new VxlanTunnel(withPorts(key), number, swIfIndex, route);
    at.tunnel = tunnel;
    this.#byInstance.set(number, tunnel);
    core.vxlan.add(tunnel);
    setAdminUp(core, at, true);
    return { retval: Retval.OK, swIfIndex };
  }

  /** Removes a tunnel with its interface. */
  delete(key: VxlanKey): { retval: number; swIfIndex: number } {
    const retval = this.#check(key);
    if (retval !== Retval.OK) return failed(retval);
    const tunnel = this.#find(key);
    if (tunnel === undefined) return failed(Retval.NO_SUCH_ENTRY);
    const core = this.#core;
    const { swIfIndex, instance, route } = tunnel;
    core.vxlan.remove(tunnel);
    this.#byInstance.delete(instance);
    this.#nextInstance = Math.min(this.#nextInstance, instance);
    const at = core.interfaces[swIfIndex];
    if (at) deleteInterface(core, at);
    core.fib.untrack(route);
    return { retval: Retval.OK, swIfIndex };
  }

  /** All tunnels. */
  list(): IterableIterator<VxlanTunnel> {
    return this.#byInstance.values();
  }

  #check({ source, destination, tableId, vni }: VxlanKey): number {
    if (this.#core.fib.table(source.family, tableId) === undefined) return Retval.NO_SUCH_FIB;
    if (source.family !== destination.family) return Retval.INVALID_VALUE;
    if (source.equals(destination)) return Retval.SAME_SRC_DST;
    const first = destination.bytes[0]!;
    const isGroup = destination.family === 4 ? first >> 4 === 14 : first === 0xff;
    return isGroup || vni > MAX_VNI ? Retval.UNIMPLEMENTED : Retval.OK;
  }

  #find(key: VxlanKey): VxlanTunnel | undefined {
    const { source, destination, vni, sourcePort } = withPorts(key);
    const { family } = destination;
    const table = this.#core.fib.table(family, key.tableId)!.position;
    const word = (i: number): number => addressWord(destination, i);
    const [a, b, c, d] = [word(0), word(1), word(2), word(3)];
    const local = addressWord(source, 0);
    return this.#core.vxlan.find(family, a, b, c, d, local, sourcePort, vni, table);
  }

  #lowestFree(): number {
    while (this.#byInstance.has(this.#nextInstance)) this.#nextInstance++;
    return this.#nextInstance;
  }
}

const failed = (retval: number): { retval: number; swIfIndex: number } => ({
  retval,
  swIfIndex: NONE,
});

function withPorts(key: VxlanKey): VxlanKey {
  return {
    ...key,
    sourcePort: key.sourcePort || VXLAN_PORT,
    destinationPort: key.destinationPort || VXLAN_PORT,
  };
}
