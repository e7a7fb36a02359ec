import { assert, assertEquals, assertMatch } from "@contiv/assert";
import { NetNs, RtNetlink } from "@contiv/libc";
import { readStatus } from "../../deploy/sandbox/agent_status.ts";
import type { DataPlaneChoice } from "../../deploy/sandbox/data_plane.ts";
import { isRunning } from "../../deploy/sandbox/role_process.ts";
import { type NodeRole, TestCluster } from "../support/test_cluster.ts";
import { until } from "../support/until.ts";
import type { Component } from "./orders.ts";

const NODES = ["node1", "node2"] as const;
/** Milliseconds until an agent says what it waits for. */
const WORD_LIMIT_MS = 30_000;
/** What the node's namespace has before anything runs in it. */
const OWN_LINKS = new Set(["lo", "eth0", "manage0"]);

/** Two nodes whose components are started in one order after another, each time from nothing. */
export class OrderWorld implements AsyncDisposable {
  readonly nodes: TestCluster;
  #started = new Set<Component>();
  #first: unknown;

  private constructor(nodes: TestCluster) {
    this.nodes = nodes;
  }

  static async start(dataPlane: DataPlaneChoice): Promise<OrderWorld> {
    return new OrderWorld(await TestCluster.start({ nodes: NODES.length, dataPlane }));
  }

  /**
   * Starts everything in an order, and has each agent say after each step what it waits for.
   * @throws {Error} unless the end is that of every other order, and nothing ended on the way
   */
  async run(order: readonly Component[]): Promise<void> {
    await this.#empty();
    for (const component of order) {
      this.#start(component);
      this.#started.add(component);
      for (const node of NODES) await this.#expectWords(node);
      this.#expectAllRunning();
    }
    const [one, two] = [
      await this.nodes.cluster.addPod("node1", "one"),
      await this.nodes.cluster.addPod("node2", "two"),
    ];
    await this.nodes.untilReached(one, two);
    await this.nodes.untilReached(two, one);
    await this.nodes.cluster.node("node1").removePod("one");
    await this.nodes.cluster.node("node2").removePod("two");
    await this.#expectTheEnd();
    this.#expectAllRunning();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.nodes[Symbol.asyncDispose]();
  }

  /** Ends all of it and removes what it has, to a cluster in which nothing ever ran. */
  async #empty(): Promise<void> {
    for (const node of NODES) {
      await this.nodes.kill(node, "agent");
      await this.nodes.kill(node, "vswitch");
      Deno.removeSync(`${this.nodes.directory}/${node}/${node}/state`, { recursive: true });
      const path = this.nodes.cluster.node(node).record.node.netns;
      using namespace = NetNs.open(this.nodes.libc, path);
      using netlink = RtNetlink.open(this.nodes.libc, namespace);
      for (const { name } of netlink.links().filter(({ name }) => !OWN_LINKS.has(name))) {
        // A veth's other end goes with it.
        const index = netlink.link(name)?.index;
        if (index !== undefined) netlink.deleteLink(index);
      }
    }
    await this.nodes.killShared("ksr");
    await this.nodes.killShared("store");
    this.nodes.forgetStore();
    this.#started = new Set();
  }

  #start(component: Component): void {
    const [role, node] = component.split(" ") as ["store" | "ksr" | NodeRole, string | undefined];
    if (role === "store" || role === "ksr") this.nodes.startShared(role);
    else this.nodes.cluster.node(node!).start(role);
  }

  /** An agent waits for the store first, then for the data plane. */
  async #expectWords(node: typeof NODES[number]): Promise<void> {
    if (!this.#started.has(`agent ${node}`)) return;
    const wanted = !this.#started.has("store")
      ? /^the cluster is not joined yet: .*\w/
      : !this.#started.has(`vswitch ${node}`)
      ? /^VPP is away: .*\w/
      : /^ok$/;
    let word = "";
    await until(`the agent of ${node} says ${wanted}`, async () => {
      const { body, status } = await readStatus(
        this.nodes.cluster.node(node).sockets.status,
        "/readyz",
      );
      word = status === 0 ? "" : body.trim();
      return wanted.test(word);
    }, WORD_LIMIT_MS).catch(() => {});
    assertMatch(word, wanted, `what the agent of ${node} says`);
  }

  #expectAllRunning(): void {
    for (const component of this.#started) {
      const [role, node] = component.split(" ");
      const process = node === undefined
        ? this.nodes.cluster.processes.find((each) => each.role === role)
        : this.nodes.process(node, role as NodeRole);
      assert(process !== undefined && isRunning(process), `${component} has ended`);
    }
  }

  /** Compares what each node has, by its ID, with the end of the first order. */
  async #expectTheEnd(): Promise<void> {
    let end: unknown;
    const read = async (): Promise<unknown> => {
      const all = await Promise.all(NODES.map(async (node, i) => {
        const { id } = await this.nodes.status<{ id: number }>(node, "/network");
        return { node, id, internal: this.nodes.cluster.fabric.internalAddress(i + 1) };
      }));
      const neutral = (text: string): string =>
        all.reduce(
          (line, { id, internal }) => line.replaceAll(internal, `internal of ${id}`),
          text,
        );
      return await Promise.all(
        all.toSorted((a, b) => a.id - b.id).map(async ({ id, node }) => {
          const items = await this.nodes.status<{ key: string; state: string }[]>(node, "/items");
          return { id, items: items.map(({ key, state }) => neutral(`${key} ${state}`)).sort() };
        }),
      );
    };
    const settles = async (): Promise<boolean> => {
      end = await read();
      const isDone = (end as { items: string[] }[]).every(({ items }) =>
        items.every((line) => line.endsWith(" applied"))
      );
      if (isDone) this.#first ??= end;
      return isDone && JSON.stringify(end) === JSON.stringify(this.#first);
    };
    await until("the end is that of other orders", settles, WORD_LIMIT_MS).catch(() => {});
    assertEquals(end, this.#first, "the end");
  }
}
