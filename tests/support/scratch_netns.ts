import { NetNs } from "@contiv/libc";
import type { TestNode } from "./test_node.ts";

/** A namespace of the test's own that is gone with the scope. */
export class ScratchNetns implements Disposable {
  readonly path: string;
  readonly #node: TestNode;

  constructor(node: TestNode, name: string) {
    this.#node = node;
    this.path = `/run/netns/contiv-${node.sandbox.record.name}-${name}`;
    NetNs.create(node.libc, this.path).close();
  }

  remove(): void {
    NetNs.remove(this.#node.libc, this.path);
  }

  [Symbol.dispose](): void {
    try {
      this.remove();
    } catch {
      // Removed by the test already.
    }
  }
}
