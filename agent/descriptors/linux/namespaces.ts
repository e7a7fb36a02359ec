import type {
  Address,
  AddressKey,
  AddressSpec,
  Link,
  LinkChange,
  LinkSpec,
  Neighbour,
  NeighbourKey,
  NeighbourSpec,
  Route,
  RouteSpec,
  Rule,
  RuleSpec,
} from "@contiv/libc";
import type { Family } from "@contiv/net";
import type { NamespaceRef } from "../../attachments/attachment.ts";
import { NamespaceError } from "./namespace_error.ts";

/**
 * What descriptors do in a container's network namespace. Synchronous: each call is one exchange
 * with the kernel. All calls throw {@link NetlinkError} for what the kernel refuses.
 */
export interface PodNamespace {
  link(name: string): Link | undefined;
  changeLink(index: number, change: LinkChange): void;
  /** Takes the kernel some 17 ms, on another thread. */
  deleteLink(index: number): Promise<void>;
  addresses(index: number): readonly Address[];
  addAddress(spec: AddressSpec): void;
  removeAddress(key: AddressKey): void;
  neighbours(index: number): readonly Neighbour[];
  setNeighbour(spec: NeighbourSpec): void;
  removeNeighbour(key: NeighbourKey): void;
  /** Those of a table, the main one if not said, that leave by this link. */
  routes(index: number, table?: number): readonly Route[];
  replaceRoute(spec: RouteSpec): void;
  removeRoute(spec: RouteSpec): void;
  rules(family: Family): readonly Rule[];
  addRule(spec: RuleSpec): void;
  removeRule(spec: RuleSpec): void;
  /**
   * Kernel parameters below /proc/sys/net, such as `ipv6/conf/eth0/accept_ra`.
   * @returns their values in order; `undefined` for one that the kernel lacks
   */
  readSysctls(names: readonly string[]): readonly (string | undefined)[];
  writeSysctls(values: readonly (readonly [name: string, value: string])[]): void;
  /** A path of at most 63 octets by which other processes of the node can open the namespace. */
  readonly shortPath: string;
}

/** The network namespaces of containers. */
export interface Namespaces {
  /**
   * Which namespace is at a path.
   * @throws {NamespaceError}
   */
  identify(path: string): NamespaceRef;
  /**
   * The namespace, if it is still the one that was found there.
   * @throws {NamespaceError} GONE
   */
  open(ref: NamespaceRef): PodNamespace;
  /** Makes a veth pair: one end in the agent's own namespace, the other in a container's. */
  createVeth(ref: NamespaceRef, host: LinkSpec, peer: LinkSpec): void;
  /** Sets a link of the agent's own namespace up. */
  setHostLinkUp(name: string): void;
  /** Deletes a link of the agent's own namespace by its name, if it is there. */
  deleteHostLink(name: string): Promise<void>;
  /** Lets go of a namespace, which lives for as long as anybody holds it. */
  forget(ref: NamespaceRef): void;
}

/** Like {@link Namespaces.open}, but `undefined` for a namespace that is gone. */
export function tryOpen(namespaces: Namespaces, ref: NamespaceRef): PodNamespace | undefined {
  try {
    return namespaces.open(ref);
  } catch (error) {
    if (error instanceof NamespaceError && error.code === "GONE") return undefined;
    throw error;
  }
}
