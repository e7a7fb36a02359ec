import { IpAddress } from "@contiv/net";
import { FibPathNhProto, FibPathType, VppClient } from "@contiv/vppapi";
import { request } from "node:http";
import type { DataPlaneChoice } from "../../../deploy/sandbox/data_plane.ts";
import { podLimit, vppChoice, WITHOUT_VPP } from "../../support/requires.ts";
import type { TestNode } from "../../support/test_node.ts";
import { until } from "../../support/until.ts";
import { BenchScope } from "../bench_scope.ts";
import { compare, type Named } from "../compare.ts";
import type { Figure } from "../figure.ts";
import type { Group, GroupOptions } from "../group.ts";

const ROUNDS = 7;
const ROUTES = 10_000;

/** A full table: made, read, and compared by an agent whose pods stand among it. */
export const routesGroup: Group = {
  name: "routes",
  help: `${ROUTES} routes added, dumped, and compared by an agent; peer: the VPP of CONTIV_VPP`,
  async run({ signal, rounds = ROUNDS, progress }: GroupOptions): Promise<Figure[]> {
    await using scope = new BenchScope(signal);
    const vpp = vppChoice();
    if (vpp === undefined) progress(`without VPP: ${WITHOUT_VPP}`);
    const embedded = await Node.start(scope, { kind: "embedded" }, progress);
    const real = vpp && await Node.start(scope, vpp, progress);
    const row = (
      what: string,
      measure: (node: Node) => Promise<number>,
      wanted = "",
    ): Promise<Figure> => {
      progress(what);
      const named = (title: string, node: Node): Named => ({
        name: `${title}, ${node.pods} pods`,
        run: () => measure(node),
      });
      const subjects = { ours: named("embedded", embedded), peer: real && named("VPP", real) };
      const figure = { what, unit: "ms", better: "less", wanted } as const;
      return compare(figure, subjects, { rounds, signal });
    };
    return [
      await row(`${ROUTES} routes added`, (node) => node.fill()),
      await row(`${ROUTES} routes dumped`, (node) => node.dump()),
      await row("retrieved and compared by the agent", (node) => node.resync(), "below 1000"),
    ];
  },
};

interface ResyncRecord {
  readonly type: string;
  readonly sequence: number;
  readonly duration: number;
  readonly operationCount: number;
}

/** A node whose data plane holds pods of the agent's and routes of someone else's. */
class Node {
  readonly pods: number;
  readonly #node: TestNode;
  readonly #vpp: VppClient;
  readonly #loopback: number;

  private constructor(node: TestNode, vpp: VppClient, loopback: number, pods: number) {
    this.#node = node;
    this.#vpp = vpp;
    this.#loopback = loopback;
    this.pods = pods;
  }

  static async start(
    scope: BenchScope,
    dataPlane: DataPlaneChoice,
    progress: GroupOptions["progress"],
  ): Promise<Node> {
    const pods = podLimit(dataPlane);
    progress(`${pods} pods on ${dataPlane.kind}`);
    const node = await scope.node(dataPlane);
    for (let index = 0; index < pods; index++) {
      scope.signal.throwIfAborted();
      await node.sandbox.addPod(`pod${index}`);
    }
    const path = node.sandbox.sockets.vpp;
    const vpp = scope.use(await VppClient.connect({ path, name: "bench", signal: scope.signal }));
    const { sw_if_index } = await vpp.request("create_loopback_instance", {});
    await vpp.request("sw_interface_set_flags", { sw_if_index, flags: 1 });
    return new Node(node, vpp, sw_if_index, pods);
  }

  /** Milliseconds of adding all; they are gone before. */
  async fill(): Promise<number> {
    await this.#change(false);
    const start = performance.now();
    await this.#change(true);
    return performance.now() - start;
  }

  async dump(): Promise<number> {
    const start = performance.now();
    const routes = await this.#vpp.dump("ip_route_v2_dump", { src: 0, table: { table_id: 0 } });
    const ms = performance.now() - start;
    if (routes.length < ROUTES) {
      throw new Error(`Cannot measure: ${routes.length} routes are there`);
    }
    return ms;
  }

  /** Milliseconds of one comparison of everything, as the agent records it. */
  async resync(): Promise<number> {
    const before = await this.#last();
    await new Promise<void>((resolve, reject) => {
      const socketPath = this.#node.sandbox.sockets.status;
      request({ socketPath, path: "/resync", method: "POST" }, (response) => {
        response.resume().on("end", resolve);
      }).on("error", reject).end();
    });
    let last = before;
    await until("the agent has compared everything", async () => {
      last = await this.#last();
      return last !== undefined && last.sequence !== before?.sequence;
    });
    if (last === undefined || last.operationCount > 0) {
      throw new Error(`Cannot measure: a comparison had operations: ${JSON.stringify(last)}`);
    }
    return last.duration;
  }

  async #last(): Promise<ResyncRecord | undefined> {
    const history = await this.#node.status<ResyncRecord[]>("/history");
    return history.findLast(({ type }) => type === "resync");
  }

  async #change(isAdd: boolean): Promise<void> {
    const path = {
      sw_if_index: this.#loopback,
      type: FibPathType.NORMAL,
      proto: FibPathNhProto.IP4,
      weight: 1,
    };
    const requests = Array.from({ length: ROUTES }, (_, index) => {
      const address = IpAddress.parse(`198.18.${index >> 8}.${index & 255}`);
      const un = new Uint8Array(16);
      un.set(address.bytes);
      const request = this.#vpp.request("ip_route_add_del_v2", {
        is_add: isAdd,
        route: {
          table_id: 0,
          prefix: { address: { af: 0, un }, len: 32 },
          paths: isAdd ? [path] : [],
        },
      });
      // Before the first round there is nothing to remove.
      return isAdd ? request : request.catch(() => {});
    });
    await Promise.all(requests);
  }
}
