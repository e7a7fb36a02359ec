import type { IpAddress } from "@contiv/net";
import { objectId } from "./cluster_object.ts";
import { hasEnded, type Pod } from "./pod.ts";

/** One address that several live pods claim. */
export interface AddressConflict {
  readonly address: IpAddress;
  /** Ids of the pods, sorted. */
  readonly pods: readonly string[];
}

/** An address's `value`: a number for IPv4 and a bigint for IPv6, so that the families never meet. */
type AddressKey = number | bigint;

/**
 * Which pod an address belongs to. Pods that have ended or use the host's network own none. An
 * address that two live pods claim belongs to neither until one lets go: none gets the other's
 * rights.
 */
export class AddressIndex {
  /** The id of the only live pod that claims an address, or of all of them. */
  readonly #claims = new Map<AddressKey, string | Set<string>>();
  readonly #addresses = new Map<string, readonly IpAddress[]>();
  /** Those that more than one claims. */
  readonly #conflicts = new Map<AddressKey, IpAddress>();

  /** The id of the pod that the address belongs to. */
  owner(address: IpAddress): string | undefined {
    const claims = this.#claims.get(address.value);
    return typeof claims === "string" ? claims : undefined;
  }

  /** The ids of the live pods that claim an address, sorted. */
  claimants(address: IpAddress): string[] {
    const claims = this.#claims.get(address.value) ?? [];
    return typeof claims === "string" ? [claims] : [...claims].sort();
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
      this.#conflicts.values(),
      (address) => ({ address, pods: this.claimants(address) }),
    );
  }

  #replace(id: string, addresses: readonly IpAddress[]): IpAddress[] {
    const before = this.#addresses.get(id) ?? [];
    if (before.length === 0 && addresses.length === 0) return [];
    const touched = new Map([...before, ...addresses].map((each) => [each.value, each]));
    const owners = Array.from(touched.values(), (address) => this.owner(address));
    for (const address of before) this.#withdraw(id, address.value);
    for (const address of addresses) this.#claim(id, address);
    if (addresses.length > 0) this.#addresses.set(id, addresses);
    else this.#addresses.delete(id);
    return [...touched.values()].filter((address, i) => this.owner(address) !== owners[i]);
  }

  #claim(id: string, address: IpAddress): void {
    const key = address.value;
    const claims = this.#claims.get(key);
    if (claims === undefined || claims === id) this.#claims.set(key, id);
    else if (typeof claims !== "string") claims.add(id);
    else {
      this.#claims.set(key, new Set([claims, id]));
      this.#conflicts.set(key, address);
    }
  }

  #withdraw(id: string, key: AddressKey): void {
    const claims = this.#claims.get(key);
    if (claims === id) this.#claims.delete(key);
    if (claims === undefined || typeof claims === "string") return;
    claims.delete(id);
    const [only] = claims;
    if (claims.size > 1 || only === undefined) return;
    this.#claims.set(key, only);
    this.#conflicts.delete(key);
  }
}
