import {
  type Address,
  type AddressKey,
  type AddressSpec,
  type Libc,
  LibcError,
  type Link,
  type LinkChange,
  type Neighbour,
  type NeighbourKey,
  type NeighbourSpec,
  NetNs,
  readKernelFile,
  type Route,
  type RouteSpec,
  RtNetlink,
  type Rule,
  type RuleSpec,
  writeKernelFile,
} from "@contiv/libc";
import type { Family } from "@contiv/net";
import type { NamespaceRef } from "../../attachments/attachment.ts";
import type { PodNamespace } from "./namespaces.ts";

/** Number of the main routing table (RT_TABLE_MAIN, linux/rtnetlink.h). */
const MAIN_TABLE = 254;
/** What VPP's API takes as a namespace's path: 64 octets with a closing zero. */
const MAX_SHORT_PATH = 63;

/** One container's namespace, held open with a netlink socket in it. */
export class LinuxPodNamespace implements PodNamespace {
  readonly ref: NamespaceRef;
  readonly #libc: Libc;
  readonly #namespace: NetNs;
  readonly #netlink: RtNetlink;

  private constructor(libc: Libc, ref: NamespaceRef, namespace: NetNs, netlink: RtNetlink) {
    this.#libc = libc;
    this.ref = ref;
    this.#namespace = namespace;
    this.#netlink = netlink;
  }

  /** @throws {LibcError} */
  static open(libc: Libc, ref: NamespaceRef): LinuxPodNamespace {
    const namespace = NetNs.open(libc, ref.path);
    try {
      return new LinuxPodNamespace(libc, ref, namespace, RtNetlink.open(libc, namespace));
    } catch (error) {
      namespace.close();
      throw error;
    }
  }

  /** A long path is replaced by the one of our own descriptor. */
  get shortPath(): string {
    const { path } = this.ref;
    if (new TextEncoder().encode(path).length <= MAX_SHORT_PATH) return path;
    return `/proc/${Deno.pid}/fd/${this.#namespace.fd}`;
  }

  link(name: string): Link | undefined {
    return this.#netlink.link(name);
  }

  changeLink(index: number, change: LinkChange): void {
    this.#netlink.setLink(index, change);
  }

  async deleteLink(index: number): Promise<void> {
    await this.#netlink.deleteLinkAsync(index);
  }

  addresses(index: number): readonly Address[] {
    return this.#netlink.addresses({ index });
  }

  addAddress(spec: AddressSpec): void {
    this.#netlink.addAddress(spec);
  }

  removeAddress(key: AddressKey): void {
    this.#netlink.deleteAddress(key);
  }

  neighbours(index: number): readonly Neighbour[] {
    return this.#netlink.neighbours({ index });
  }

  setNeighbour(spec: NeighbourSpec): void {
    this.#netlink.setNeighbour(spec);
  }

  removeNeighbour(key: NeighbourKey): void {
    this.#netlink.deleteNeighbour(key);
  }

  routes(index: number, table = MAIN_TABLE): readonly Route[] {
    return this.#netlink.routes({ index, table });
  }

  replaceRoute(spec: RouteSpec): void {
    this.#netlink.addRoute(spec, "replace");
  }

  removeRoute(spec: RouteSpec): void {
    this.#netlink.deleteRoute(spec);
  }

  rules(family: Family): readonly Rule[] {
    return this.#netlink.rules(family);
  }

  addRule(spec: RuleSpec): void {
    this.#netlink.addRule(spec);
  }

  removeRule(spec: RuleSpec): void {
    this.#netlink.deleteRule(spec);
  }

  // /proc/sys/net shows the namespace of the thread that opens it.
  readSysctls(names: readonly string[]): readonly (string | undefined)[] {
    return this.#namespace.run(() => names.map((name) => readSysctl(this.#libc, name)));
  }

  writeSysctls(values: readonly (readonly [name: string, value: string])[]): void {
    this.#namespace.run(() => {
      for (const [name, value] of values) {
        writeKernelFile(this.#libc, `/proc/sys/net/${name}`, value);
      }
    });
  }

  close(): void {
    this.#netlink.close();
    this.#namespace.close();
  }
}

function readSysctl(libc: Libc, name: string): string | undefined {
  try {
    return readKernelFile(libc, `/proc/sys/net/${name}`).trim();
  } catch (error) {
    if (error instanceof LibcError && error.code === "ENOENT") return undefined;
    throw error;
  }
}
