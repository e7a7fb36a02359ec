import { assertEquals } from "@contiv/assert";
import type { PodRecord } from "../../deploy/sandbox/state.ts";
import { call, success } from "./cni_calls.ts";
import { ScratchNetns } from "./scratch_netns.ts";
import type { TestNode } from "./test_node.ts";
import { until } from "./until.ts";

/** Plugins that run at once while a crowd is added. */
const AT_ONCE = 10;

/** Many pods of a node that come together and go together. */
export class Crowd implements Disposable {
  readonly #node: TestNode;
  readonly #netns: readonly ScratchNetns[];

  private constructor(node: TestNode, netns: readonly ScratchNetns[]) {
    this.#node = node;
    this.#netns = netns;
  }

  static async add(node: TestNode, size: number): Promise<Crowd> {
    const netns = Array.from({ length: size }, (_, i) => new ScratchNetns(node, `crowd${i}`));
    const crowd = new Crowd(node, netns);
    try {
      for (let first = 0; first < size; first += AT_ONCE) {
        await Promise.all(
          netns.slice(first, first + AT_ONCE).map(async (each, i) =>
            success(await node.cni(call("ADD", `crowd${first + i}`, each)))
          ),
        );
      }
      return crowd;
    } catch (error) {
      crowd[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Has them all removed by one command, a GC in which only `kept` is valid, and waits until
   * nothing of them is left.
   * @returns milliseconds from the command to the end of the last
   */
  async removeAtOnce(kept: readonly PodRecord[]): Promise<number> {
    const start = performance.now();
    const exit = await this.#node.cni({ command: "GC" }, {
      "cni.dev/valid-attachments": kept.map(({ containerId }) => ({
        containerID: containerId,
        ifname: "eth0",
      })),
    });
    assertEquals(exit.code, 0, exit.stdout);
    await until("the crowd is gone", async () => {
      return (await this.#node.status<unknown[]>("/attachments")).length === kept.length;
    }, 30_000);
    return performance.now() - start;
  }

  [Symbol.dispose](): void {
    for (const each of this.#netns) each[Symbol.dispose]();
  }
}
