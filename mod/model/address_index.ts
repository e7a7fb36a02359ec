import type { IpAddress } from "@contiv/net";
import { objectId } from "./cluster_object.ts";
import { hasEnded, type Pod } from "./pod.ts";

/** One address that several live pods claim. */
export interface AddressConflict {
  readonly address: IpAddress;
  /** Ids of the pods, sorted. */
  readonly pods: readonly string[];
}

interface Claims {
  readonly address: IpAddress;
  /** Ids of live pods; never empty. */
  readonly pods: Set<string>;
}

/** A number for IPv4 and a bigint for IPv6, so that the families never meet. */
function addressKey(address: IpAddress): number | bigint {
  const [a = 0, b = 0, c = 0, d = 0] = address.bytes;
  return address.family === 4 ? (a << 24 | b << 16 | c << 8 | d) >>> 0 : address.toBigInt();
}

/**
 * Which pod an address belongs to. Pods that have ended or use the host's network own none. An
 * address that two live pods claim belongs to neither until one lets go: none gets the other's
 * rights.
 */
export class AddressIndex {
  readonly #claims = new Map<number | bigint, Claims>();
  readonly #addresses = new Map<string, readonly IpAddress[]>();
  readonly #conflicts = new Set<Claims>();

  /** The id of the pod that the address belongs to. */
  owner(address: IpAddress): string | undefined {
    const pods = this.#claims.get(addressKey(address))?.pods;
    if (pods?.size !== 1) return undefined;
    const [owner] = pods;
    return owner;
  }

  /**
   * Takes in a pod that is new or has changed.
   * @returns the addresses that have another owner now, or none any more
   */
  set(pod: Pick<Pod, "namespace" | "name" | "phase" | "hostNetwork" | "addresses">): IpAddress[] {
    return this.#replace(objectId(pod), pod.hostNetwork || hasEnded(pod) ? [] : pod.addresses);
  }

  /** Forgets a pod. Gives what {@link set} gives. */
  delete(id: string): IpAddress[] {
    return this.#replace(id, []);
  }

  /** All addresses that more than one live pod claims. */
  conflicts(): AddressConflict[] {
    return Array.from(
      this.#conflicts,
      ({ address, pods }) => ({ address, pods: [...pods].sort() }),
    );
  }

  #replace(id: string, addresses: readonly IpAddress[]): IpAddress[] {
    const before = this.#addresses.get(id) ?? [];
    const touched = new Map([...before, ...addresses].map((each) => [addressKey(each), each]));
    const owners = Array.from(touched.values(), (address) => this.owner(address));
    for (const address of before) this.#withdraw(id, address);
    for (const address of addresses) this.#claim(id, address);
    if (addresses.length > 0) this.#addresses.set(id, addresses);
    else this.#addresses.delete(id);
    return [...touched.values()].filter((address, i) => this.owner(address) !== owners[i]);
  }

  #claim(id: string, address: IpAddress): void {
    const key = addressKey(address);
    const claims = this.#claims.get(key) ?? { address, pods: new Set() };
    this.#claims.set(key, claims);
    claims.pods.add(id);
    if (claims.pods.size > 1) this.#conflicts.add(claims);
  }

  #withdraw(id: string, address: IpAddress): void {
    const key = addressKey(address);
    const claims = this.#claims.get(key);
    if (claims === undefined) return;
    claims.pods.delete(id);
    if (claims.pods.size <= 1) this.#conflicts.delete(claims);
    if (claims.pods.size === 0) this.#claims.delete(key);
  }
}
