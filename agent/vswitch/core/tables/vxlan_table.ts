import type { VxlanTunnel } from "../l2/vxlan_tunnel.ts";
import { mix2, mix5 } from "./hash.ts";

const SMALLEST = 16;

/** Finds the tunnel that a packet came through, by its ends, port and network. */
export class VxlanTable {
  #slots: (VxlanTunnel | undefined)[] = new Array(SMALLEST).fill(undefined);
  #size = 0;
  /** How many tunnels listen on a UDP port, by family and port. */
  readonly #ports = new Map<number, number>();

  /** Whether some tunnel of a family listens on a UDP port. */
  listens(family: 4 | 6, port: number): boolean {
    return this.#ports.has(portKey(family, port));
  }

  add(tunnel: VxlanTunnel): void {
    if (2 * (this.#size + 1) > this.#slots.length) {
      const old = [...this.tunnels()];
      this.#slots = new Array(2 * this.#slots.length).fill(undefined);
      for (const each of old) this.#insert(each);
    }
    this.#insert(tunnel);
    this.#size++;
    const key = portKey(tunnel.family, tunnel.sourcePort);
    this.#ports.set(key, (this.#ports.get(key) ?? 0) + 1);
  }

  remove(tunnel: VxlanTunnel): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = home(tunnel) & mask;
    while (slots[hole] !== tunnel) {
      if (slots[hole] === undefined) return;
      hole = hole + 1 & mask;
    }
    for (let at = hole + 1 & mask;; at = at + 1 & mask) {
      const next = slots[at];
      if (next === undefined) break;
      // What is at home between the hole and its place must stay where it is.
      if ((at - home(next) & mask) < (at - hole & mask)) continue;
      slots[hole] = next;
      hole = at;
    }
    slots[hole] = undefined;
    this.#size--;
    const key = portKey(tunnel.family, tunnel.sourcePort);
    const others = (this.#ports.get(key) ?? 0) - 1;
    if (others > 0) this.#ports.set(key, others);
    else this.#ports.delete(key);
  }

  /**
   * The tunnel from a remote end (a, b, c, d), of which IPv4 has `a` only. As in VPP an IPv4 tunnel
   * is known by both its ends and an IPv6 one by the remote end: there, the local one is the
   * caller's to compare.
   * @param local the local IPv4 address
   * @param table position of the routing table by which the packet came
   */
  find(
    family: 4 | 6,
    a: number,
    b: number,
    c: number,
    d: number,
    local: number,
    port: number,
    vni: number,
    table: number,
  ): VxlanTunnel | undefined {
    const mask = this.#slots.length - 1;
    let at = mix2(mix5(a, b, c, d, family), vni << 8 ^ port) & mask;
    for (;;) {
      const tunnel = this.#slots[at];
      if (tunnel === undefined) return undefined;
      const { remote } = tunnel;
      if (
        remote[0] === a && remote[1] === b && remote[2] === c && remote[3] === d &&
        tunnel.vni === vni && tunnel.sourcePort === port && tunnel.family === family &&
        (family === 6 || tunnel.local[0] === local) && tunnel.route.table.position === table
      ) return tunnel;
      at = at + 1 & mask;
    }
  }

  *tunnels(): IterableIterator<VxlanTunnel> {
    for (const tunnel of this.#slots) if (tunnel) yield tunnel;
  }

  #insert(tunnel: VxlanTunnel): void {
    const mask = this.#slots.length - 1;
    let at = home(tunnel) & mask;
    while (this.#slots[at] !== undefined) at = at + 1 & mask;
    this.#slots[at] = tunnel;
  }
}

function home({ family, remote, sourcePort, vni }: VxlanTunnel): number {
  return mix2(
    mix5(remote[0]!, remote[1]!, remote[2]!, remote[3]!, family),
    vni << 8 ^ sourcePort,
  );
}

const portKey = (family: 4 | 6, port: number): number => family << 16 | port;
