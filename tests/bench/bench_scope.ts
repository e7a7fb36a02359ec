import { Libc, NetNs } from "@contiv/libc";
import type { DataPlaneChoice } from "../../deploy/sandbox/data_plane.ts";
import { TestNode } from "../support/test_node.ts";

let counter = 0;

/**
 * What a group makes on this machine; all of it goes with the scope, latest first, also after a
 * failure or an interrupt.
 */
export class BenchScope implements AsyncDisposable {
  readonly libc: Libc = Libc.open();
  /** Aborted by an interrupt. */
  readonly signal: AbortSignal;
  /** A directory for files. */
  readonly directory: string = Deno.makeTempDirSync({ prefix: "contiv-bench-" });
  readonly #stack = new AsyncDisposableStack();

  constructor(signal: AbortSignal) {
    this.signal = signal;
    this.#stack.defer(() => this.libc.close());
    this.#stack.defer(() => Deno.removeSync(this.directory, { recursive: true }));
  }

  /** Has something end with the scope. */
  use<T extends AsyncDisposable | Disposable>(resource: T): T {
    return this.#stack.use(resource);
  }

  /** A node of ours with its data plane and agent, without pods. */
  async node(dataPlane?: DataPlaneChoice): Promise<TestNode> {
    this.signal.throwIfAborted();
    return this.use(await TestNode.start(dataPlane));
  }

  /** A new network namespace, kept until the scope or its holder ends. */
  namespace(): BenchNamespace {
    return this.use(
      new BenchNamespace(this.libc, `/run/netns/contiv-bench-${Deno.pid}-${counter++}`),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** A named network namespace that is removed when it is disposed of, once. */
export class BenchNamespace implements Disposable {
  readonly path: string;
  readonly ns: NetNs;
  readonly #libc: Libc;
  #removed = false;

  constructor(libc: Libc, path: string) {
    this.#libc = libc;
    this.path = path;
    this.ns = NetNs.create(libc, path);
  }

  /** As `ip netns` calls it. */
  get name(): string {
    return this.path.slice(this.path.lastIndexOf("/") + 1);
  }

  [Symbol.dispose](): void {
    if (this.#removed) return;
    this.#removed = true;
    this.ns.close();
    NetNs.remove(this.#libc, this.path);
  }
}
