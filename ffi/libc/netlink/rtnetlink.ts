import type { Family } from "@contiv/net";
import { EAFNOSUPPORT, ENODEV, ENOENT, EOPNOTSUPP } from "../constants/errno.ts";
import type { Libc } from "../libc.ts";
import type { NetNs } from "../net_ns.ts";
import {
  type Address,
  addressCreation,
  addressDeletion,
  addressDump,
  type AddressFilter,
  type AddressKey,
  type AddressSpec,
  decodeAddress,
} from "./address.ts";
import { NetlinkClient } from "./client.ts";
import { NetlinkError } from "./error.ts";
import {
  decodeLink,
  type Link,
  type LinkChange,
  linkChange,
  linkCreation,
  linkDeletion,
  linkDump,
  linkQuery,
  type LinkSpec,
  vethCreation,
  type VethSpec,
} from "./link.ts";
import {
  decodeNeighbour,
  type Neighbour,
  neighbourCreation,
  neighbourDeletion,
  neighbourDump,
  type NeighbourFilter,
  type NeighbourKey,
  type NeighbourSpec,
} from "./neighbour.ts";
import {
  decodeRoute,
  type Route,
  routeCreation,
  routeDeletion,
  routeDump,
  type RouteFilter,
  type RouteSpec,
} from "./route.ts";
import {
  decodeRule,
  type Rule,
  ruleCreation,
  ruleDeletion,
  ruleDump,
  type RuleSpec,
} from "./rule.ts";
import { NetlinkSocket } from "./socket.ts";
import type { NetlinkTransport } from "./transport.ts";

/**
 * Links, addresses, routes, neighbours and rules of one network namespace (rtnetlink(7)). Keeps one
 * socket open, which stays in its namespace whatever the calling thread does. All methods throw
 * {@link NetlinkError}; those without `Async` do their work before they return.
 */
export class RtNetlink implements Disposable {
  readonly #client: NetlinkClient;

  private constructor(client: NetlinkClient) {
    this.#client = client;
  }

  /**
   * @param ns @default the calling thread's namespace
   * @throws {LibcError}
   */
  static open(libc: Libc, ns?: NetNs): RtNetlink {
    const open = (): NetlinkSocket => NetlinkSocket.open(libc);
    return RtNetlink.over(ns === undefined ? open() : ns.run(open));
  }

  /** Uses a transport, which is closed with this object. */
  static over(transport: NetlinkTransport): RtNetlink {
    return new RtNetlink(new NetlinkClient(transport));
  }

  /** All links. */
  links(): Link[] {
    return this.#client.dump("list links", linkDump(), decodeLink);
  }

  /** The link with this index or (alternative) name, or `undefined` if there is none. */
  link(nameOrIndex: string | number): Link | undefined {
    try {
      return this.#client.query(`find link ${nameOrIndex}`, linkQuery(nameOrIndex), decodeLink);
    } catch (error) {
      if (error instanceof NetlinkError && error.errno === ENODEV) return undefined;
      throw error;
    }
  }

  /** Makes two connected links, each in the namespace it names. */
  createVeth(spec: VethSpec): void {
    this.#client.execute(`create veth ${spec.name}`, vethCreation(spec));
  }

  /** Makes a bridge. */
  createBridge(name: string, more: Omit<LinkSpec, "name"> = {}): void {
    this.#client.execute(`create bridge ${name}`, linkCreation("bridge", { ...more, name }));
  }

  /** Makes a link that swallows all it is given. */
  createDummy(name: string, more: Omit<LinkSpec, "name"> = {}): void {
    this.#client.execute(`create dummy ${name}`, linkCreation("dummy", { ...more, name }));
  }

  /**
   * Changes what is present in `change`. A move to another namespace goes first; what else is
   * present then happens there.
   */
  setLink(index: number, change: LinkChange): void {
    this.#client.execute(describeChange(index, change), linkChange(index, change));
  }

  /** Like {@link setLink}, with the kernel's work, slow for a move, done on another thread. */
  async setLinkAsync(index: number, change: LinkChange): Promise<void> {
    await this.#client.executeAsync(describeChange(index, change), linkChange(index, change));
  }

  /** Deletes a link; a veth takes its peer with it. */
  deleteLink(index: number): void {
    this.#client.execute(`delete link ${index}`, linkDeletion(index));
  }

  /** Like {@link deleteLink}, with the kernel's work, some 17 ms, done on another thread. */
  async deleteLinkAsync(index: number): Promise<void> {
    await this.#client.executeAsync(`delete link ${index}`, linkDeletion(index));
  }

  /** IP addresses of all links, or of those that the filter lets through. */
  addresses(filter: AddressFilter = {}): Address[] {
    const found = this.#client.dump("list addresses", addressDump(filter), decodeAddress);
    return found.filter((a) => matches(filter.family, a.family) && matches(filter.index, a.index));
  }

  addAddress(spec: AddressSpec): void {
    this.#client.execute(`add ${describeAddress(spec)}`, addressCreation(spec));
  }

  deleteAddress(key: AddressKey): void {
    this.#client.execute(`delete ${describeAddress(key)}`, addressDeletion(key));
  }

  /** IP routes of all tables, or those that the filter lets through. */
  routes(filter: RouteFilter = {}): Route[] {
    return this.#perFamily(filter.family, (family) => {
      const request = routeDump(family, filter);
      return this.#client.dump(`list IPv${family} routes`, request, decodeRoute);
    }).filter((route) =>
      matches(filter.table, route.table) &&
      (matches(filter.index, route.index) ||
        route.nextHops?.some((hop) => hop.index === filter.index) === true)
    );
  }

  /**
   * @param mode "create" fails if there is a route with the same destination, table and metric;
   * "replace" takes its place
   */
  addRoute(spec: RouteSpec, mode: "create" | "replace" = "create"): void {
    const verb = mode === "create" ? "add" : "replace";
    this.#client.execute(`${verb} ${describeRoute(spec)}`, routeCreation(spec, mode));
  }

  /** Deletes the first route that matches. */
  deleteRoute(spec: RouteSpec): void {
    this.#client.execute(`delete ${describeRoute(spec)}`, routeDeletion(spec));
  }

  /** Entries of the ARP and NDP caches, or those that the filter lets through. */
  neighbours(filter: NeighbourFilter = {}): Neighbour[] {
    const found = this.#client.dump("list neighbours", neighbourDump(filter), decodeNeighbour);
    return found.filter((n) => matches(filter.family, n.family) && matches(filter.index, n.index));
  }

  /** Sets a neighbour, whatever was there before. */
  setNeighbour(spec: NeighbourSpec): void {
    const { address, index, mac } = spec;
    const operation = `set neighbour ${address} on link ${index} to ${mac}`;
    this.#client.execute(operation, neighbourCreation(spec));
  }

  deleteNeighbour(key: NeighbourKey): void {
    const operation = `delete neighbour ${key.address} on link ${key.index}`;
    this.#client.execute(operation, neighbourDeletion(key));
  }

  /** Routing rules of both families or of one. */
  rules(family?: Family): Rule[] {
    return this.#perFamily(
      family,
      (each) => this.#client.dump(`list IPv${each} rules`, ruleDump(each), decodeRule),
    );
  }

  addRule(spec: RuleSpec): void {
    this.#client.execute(`add ${describeRule(spec)}`, ruleCreation(spec));
  }

  /** Deletes the first rule that matches. */
  deleteRule(spec: RuleSpec): void {
    this.#client.execute(`delete ${describeRule(spec)}`, ruleDeletion(spec));
  }

  /** Releases the socket. Idempotent. */
  close(): void {
    this.#client.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Lists per family: asked for a family that it lacks, a kernel lists all, or refuses. */
  #perFamily<T extends { readonly family: Family }>(
    wanted: Family | undefined,
    list: (family: Family) => T[],
  ): T[] {
    const families: readonly Family[] = wanted === undefined ? [4, 6] : [wanted];
    return families.flatMap((family) => {
      try {
        return list(family).filter((entry) => entry.family === family);
      } catch (error) {
        if (error instanceof NetlinkError && NOTHING_THERE.has(error.errno)) return [];
        throw error;
      }
    });
  }
}

/** A family that the kernel was built or started without, or a table that nobody has used. */
const NOTHING_THERE: ReadonlySet<number> = new Set([EAFNOSUPPORT, EOPNOTSUPP, ENOENT]);

function matches<T>(wanted: T | undefined, found: T | undefined): boolean {
  return wanted === undefined || wanted === found;
}

function describeChange(index: number, change: LinkChange): string {
  const parts = Object.entries(change).map(([key, value]) =>
    key === "ns" ? "namespace" : `${key} ${value}`
  );
  return `set ${parts.join(", ")} of link ${index}`;
}

function describeAddress(key: AddressKey): string {
  return `address ${key.address}/${key.prefixLength} on link ${key.index}`;
}

function describeRoute(spec: RouteSpec): string {
  const via = spec.gateway === undefined ? "" : ` via ${spec.gateway}`;
  const out = spec.index === undefined ? "" : ` on link ${spec.index}`;
  const table = spec.table === undefined ? "" : ` in table ${spec.table}`;
  return `IPv${spec.family} route to ${spec.destination ?? "default"}${via}${out}${table}`;
}

function describeRule(spec: RuleSpec): string {
  const priority = spec.priority === undefined ? "" : ` ${spec.priority}`;
  return `IPv${spec.family} rule${priority} to table ${spec.table ?? "none"}`;
}
