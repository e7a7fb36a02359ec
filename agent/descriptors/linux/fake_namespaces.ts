import {
  type Address,
  type AddressKey,
  type AddressSpec,
  type Link,
  type LinkChange,
  type LinkSpec,
  type Neighbour,
  type NeighbourKey,
  type NeighbourSpec,
  NetlinkError,
  type Route,
  type RouteSpec,
  type Rule,
  type RuleSpec,
} from "@contiv/libc";
import type { Family, MacAddress } from "@contiv/net";
import { IpAddress, IpPrefix } from "@contiv/net";
import type { NamespaceRef } from "../../attachments/attachment.ts";
import { NamespaceError } from "./namespace_error.ts";
import type { Namespaces, PodNamespace } from "./namespaces.ts";

/** RT_TABLE_MAIN (linux/rtnetlink.h). */
const MAIN_TABLE = 254;
const ENODEV = 19;
const EEXIST = 17;

/** One namespace of {@link FakeNamespaces}: what a kernel would hold, without its rules. */
export class FakePodNamespace implements PodNamespace {
  readonly ref: NamespaceRef;
  readonly links = new Map<string, Link>();
  readonly sysctls = new Map<string, string>();
  #addresses: Address[] = [];
  #neighbours: Neighbour[] = [];
  #routes: Route[] = [];
  #rules: Rule[] = [];
  #next = 1;
  readonly #act: (operation: string) => void;

  constructor(ref: NamespaceRef, act: (operation: string) => void) {
    this.ref = ref;
    this.#act = act;
    this.addLink("lo", "loopback", undefined);
  }

  get shortPath(): string {
    return this.ref.path;
  }

  /** Everything in it but `lo`, as text: what a leak would show up in. */
  get contents(): readonly string[] {
    return [
      ...[...this.links.keys()].filter((name) => name !== "lo").map((name) => `link ${name}`),
      ...this.#addresses.map(({ address }) => `address ${address}`),
      ...this.#neighbours.map(({ address }) => `neighbour ${address}`),
      ...this.#routes.map(({ destination }) => `route ${destination}`),
      ...this.#rules.map(({ source }) => `rule from ${source}`),
    ];
  }

  /** What VPP, or anybody else, does in the namespace. */
  addLink(name: string, kind: string, mac: MacAddress | undefined, mtu = 1500): void {
    this.links.set(name, {
      index: this.#next++,
      name,
      kind,
      mtu,
      hardwareType: 1,
      flags: 0,
      up: false,
      lowerUp: false,
      operationalState: "down",
      txQueueLength: 0,
      ...mac !== undefined && { mac },
    });
  }

  removeLink(name: string): void {
    const index = this.links.get(name)?.index;
    this.links.delete(name);
    this.#addresses = this.#addresses.filter((each) => each.index !== index);
    this.#neighbours = this.#neighbours.filter((each) => each.index !== index);
    this.#routes = this.#routes.filter((each) => each.index !== index);
  }

  link(name: string): Link | undefined {
    return this.links.get(name);
  }

  changeLink(index: number, change: LinkChange): void {
    this.#act("changeLink");
    const link = this.#byIndex(index);
    const { up = link.up, mtu = link.mtu } = change;
    this.links.set(link.name, { ...link, up, mtu });
  }

  deleteLink(index: number): Promise<void> {
    try {
      this.#act("deleteLink");
      this.removeLink(this.#byIndex(index).name);
      return Promise.resolve();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  addresses(index: number): readonly Address[] {
    return this.#addresses.filter((each) => each.index === index);
  }

  addAddress(spec: AddressSpec): void {
    this.#act("addAddress");
    this.#byIndex(spec.index);
    if (this.#addresses.some(({ address }) => address.equals(spec.address))) {
      throw new NetlinkError("add address", EEXIST);
    }
    const { index, address, prefixLength, nodad = false } = spec;
    this.#addresses.push({
      index,
      address,
      prefixLength,
      nodad,
      family: address.family,
      scope: "global",
      flags: 0,
      permanent: true,
      tentative: false,
      duplicate: false,
    });
  }

  removeAddress(key: AddressKey): void {
    this.#act("removeAddress");
    this.#addresses = this.#addresses.filter(({ address }) => !address.equals(key.address));
  }

  neighbours(index: number): readonly Neighbour[] {
    return this.#neighbours.filter((each) => each.index === index);
  }

  setNeighbour(spec: NeighbourSpec): void {
    this.#act("setNeighbour");
    const { index, address, mac, permanent } = spec;
    this.#neighbours = this.#neighbours.filter((each) => !each.address.equals(address));
    this.#neighbours.push({
      index,
      address,
      mac,
      permanent,
      family: address.family,
      state: 0x80,
      noArp: false,
      proxy: false,
      router: false,
    });
  }

  removeNeighbour(key: NeighbourKey): void {
    this.#act("removeNeighbour");
    this.#neighbours = this.#neighbours.filter(({ address }) => !address.equals(key.address));
  }

  routes(index: number, table = MAIN_TABLE): readonly Route[] {
    return this.#routes.filter((each) => each.index === index && each.table === table);
  }

  replaceRoute(spec: RouteSpec): void {
    this.#act("replaceRoute");
    const { family, gateway, index = 0, metric, table = MAIN_TABLE } = spec;
    const destination = spec.destination ?? IpPrefix.of(IpAddress.fromBigInt(family, 0n), 0);
    this.#routes = this.#routes.filter((each) =>
      !each.destination.equals(destination) || each.metric !== metric || each.table !== table
    );
    this.#routes.push({
      family,
      destination,
      type: "unicast",
      table,
      protocol: 4,
      scope: "global",
      onlink: false,
      index,
      ...gateway !== undefined && { gateway },
      ...metric !== undefined && { metric },
    });
  }

  removeRoute(spec: RouteSpec): void {
    this.#act("removeRoute");
    this.#routes = this.#routes.filter((each) =>
      each.index !== spec.index || each.metric !== spec.metric ||
      each.table !== (spec.table ?? MAIN_TABLE) ||
      !spec.destination?.equals(each.destination)
    );
  }

  rules(family: Family): readonly Rule[] {
    return this.#rules.filter((each) => each.family === family);
  }

  addRule(spec: RuleSpec): void {
    this.#act("addRule");
    const { priority = 0, table = MAIN_TABLE } = spec;
    this.#rules.push({ ...spec, priority, table, action: "table", invert: false });
  }

  removeRule(spec: RuleSpec): void {
    this.#act("removeRule");
    this.#rules = this.#rules.filter((each) => each.table !== spec.table);
  }

  /** Takes routes away, as somebody in the container might. */
  loseRoutes(destination: string): void {
    this.#routes = this.#routes.filter((each) => String(each.destination) !== destination);
  }

  readSysctls(names: readonly string[]): readonly string[] {
    return names.map((name) => this.sysctls.get(name) ?? "1");
  }

  writeSysctls(values: readonly (readonly [name: string, value: string])[]): void {
    this.#act("writeSysctls");
    for (const [name, value] of values) this.sysctls.set(name, value);
  }

  #byIndex(index: number): Link {
    const link = [...this.links.values()].find((each) => each.index === index);
    if (link === undefined) throw new NetlinkError(`find link ${index}`, ENODEV);
    return link;
  }
}

/** {@link Namespaces} in memory, for tests: keeps its history and fails when told to. */
export class FakeNamespaces implements Namespaces {
  /** Every change that was asked for, oldest first. */
  readonly history: string[] = [];
  readonly #namespaces = new Map<string, FakePodNamespace>();
  #failAt = Infinity;
  #inode = 1;

  /** Makes a namespace at a path, in place of the one that is there. */
  make(path: string): FakePodNamespace {
    const ref = { path, inode: String(this.#inode++) };
    const namespace = new FakePodNamespace(ref, (operation) => {
      this.history.push(operation);
      if (this.history.length >= this.#failAt) throw new NetlinkError(operation, 5);
    });
    this.#namespaces.set(path, namespace);
    return namespace;
  }

  remove(path: string): void {
    this.#namespaces.delete(path);
  }

  get(path: string): FakePodNamespace | undefined {
    return this.#namespaces.get(path);
  }

  /** Fails the next change of this number, counted from 1, and all later ones until {@link heal}. */
  failFrom(change: number): void {
    this.#failAt = this.history.length + change;
  }

  heal(): void {
    this.#failAt = Infinity;
  }

  identify(path: string): NamespaceRef {
    const namespace = this.#namespaces.get(path);
    if (namespace === undefined) throw new NamespaceError("GONE", path, "there is nothing");
    return namespace.ref;
  }

  open(ref: NamespaceRef): PodNamespace {
    const namespace = this.#namespaces.get(ref.path);
    if (namespace?.ref.inode === ref.inode) return namespace;
    throw new NamespaceError("GONE", ref.path, "another namespace is there");
  }

  createVeth(ref: NamespaceRef, _host: LinkSpec, peer: LinkSpec): void {
    this.#namespaces.get(ref.path)?.addLink(peer.name, "veth", peer.mac, peer.mtu);
  }

  setHostLinkUp(): void {}

  deleteHostLink(): Promise<void> {
    return Promise.resolve();
  }

  forget(): void {}
}
