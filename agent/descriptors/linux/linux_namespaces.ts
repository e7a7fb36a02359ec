import {
  inodeOf,
  type Libc,
  LibcError,
  type LinkSpec,
  NetNs,
  RtNetlink,
  writeKernelFile,
} from "@contiv/libc";
import type { NamespaceRef } from "../../attachments/attachment.ts";
import { isAbsent } from "./_in_namespace.ts";
import { LinuxPodNamespace } from "./linux_pod_namespace.ts";
import { NamespaceError } from "./namespace_error.ts";
import type { Namespaces, PodNamespace } from "./namespaces.ts";

/** Two descriptors each; a node has 110 pods by default, few of which change at a time. */
const DEFAULT_CAPACITY = 64;

/**
 * Containers' namespaces through the kernel. Keeps the ones used last open, each with one netlink
 * socket, since opening costs more than all that an attachment needs. A namespace that is kept open
 * lives on without its container, so {@link sweep} must be called now and then.
 */
export class LinuxNamespaces implements Namespaces, Disposable {
  readonly #libc: Libc;
  readonly #capacity: number;
  /** By path, used longest ago first. */
  readonly #open = new Map<string, LinuxPodNamespace>();
  #host: RtNetlink | undefined;

  constructor(libc: Libc, options: { readonly capacity?: number } = {}) {
    this.#libc = libc;
    this.#capacity = options.capacity ?? DEFAULT_CAPACITY;
  }

  identify(path: string): NamespaceRef {
    try {
      using namespace = NetNs.open(this.#libc, path);
      return { path, inode: String(namespace.inode()) };
    } catch (error) {
      throw asNamespaceError(path, error);
    }
  }

  open(ref: NamespaceRef): PodNamespace {
    const found = this.#inodeAt(ref.path);
    if (found !== ref.inode) {
      this.forget(ref);
      const what = found === undefined ? "there is nothing" : "another namespace is there";
      throw new NamespaceError("GONE", ref.path, what);
    }
    const known = this.#open.get(ref.path);
    this.#open.delete(ref.path);
    if (known?.ref.inode === ref.inode) {
      this.#open.set(ref.path, known);
      return known;
    }
    known?.close();
    try {
      const opened = LinuxPodNamespace.open(this.#libc, ref);
      this.#open.set(ref.path, opened);
      this.#evict();
      return opened;
    } catch (error) {
      throw asNamespaceError(ref.path, error);
    }
  }

  createVeth(ref: NamespaceRef, host: LinkSpec, peer: LinkSpec): void {
    using namespace = NetNs.open(this.#libc, ref.path);
    this.#hostNetlink().createVeth({ ...host, peer: { ...peer, ns: namespace } });
    // The kernel has nothing to say on a link whose frames are another's.
    writeKernelFile(this.#libc, `/proc/sys/net/ipv6/conf/${host.name}/disable_ipv6`, "1");
  }

  setHostLinkUp(name: string): void {
    const link = this.#hostNetlink().link(name);
    if (link !== undefined) this.#hostNetlink().setLink(link.index, { up: true });
  }

  async deleteHostLink(name: string): Promise<void> {
    const link = this.#hostNetlink().link(name);
    if (link === undefined) return;
    try {
      await this.#hostNetlink().deleteLinkAsync(link.index);
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }

  forget(ref: NamespaceRef): void {
    const known = this.#open.get(ref.path);
    if (known === undefined) return;
    this.#open.delete(ref.path);
    known.close();
  }

  /** Lets go of the namespaces that are no longer at their paths. */
  sweep(): void {
    for (const { ref } of [...this.#open.values()]) {
      if (this.#inodeAt(ref.path) !== ref.inode) this.forget(ref);
    }
  }

  close(): void {
    for (const namespace of this.#open.values()) namespace.close();
    this.#open.clear();
    this.#host?.close();
    this.#host = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #hostNetlink(): RtNetlink {
    return this.#host ??= RtNetlink.open(this.#libc);
  }

  /** The inode that a path leads to. */
  #inodeAt(path: string): string | undefined {
    try {
      return String(inodeOf(this.#libc, path));
    } catch {
      return undefined;
    }
  }

  #evict(): void {
    for (const { ref } of this.#open.values()) {
      if (this.#open.size <= this.#capacity) return;
      this.forget(ref);
    }
  }
}

function asNamespaceError(path: string, error: unknown): unknown {
  if (!(error instanceof LibcError)) return error;
  const gone = error.code === "ENOENT" || error.code === "ENOTDIR";
  return gone
    ? new NamespaceError("GONE", path, "there is nothing", { cause: error })
    : new NamespaceError("INVALID", path, `${error.code} on opening it`, { cause: error });
}
