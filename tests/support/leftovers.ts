import { assertEquals } from "@contiv/assert";
import type { TestNode } from "./test_node.ts";
import { until } from "./until.ts";

/** The parts of the agent's status that the tests read. */
export interface AgentStatus {
  readonly attachments: readonly unknown[];
}

/**
 * Fails unless a node without pods holds nothing of any pod: no attachment, no allocated address,
 * no interface, route or neighbour in the data plane but the node's own, no link in the node's
 * namespace but `lo`.
 */
export async function assertNothingLeft(node: TestNode, before: DataPlane): Promise<void> {
  let now = before;
  await until("the data plane is as it was before the first pod", async () => {
    now = await readDataPlane(node);
    return JSON.stringify(now) === JSON.stringify(before);
  }).catch(() => {});
  assertEquals(now, before, "the data plane holds more or less than before the first pod");
  assertEquals(await node.status<unknown[]>("/attachments"), []);
  const { allocated } = await node.status<{ allocated: number }>("/ipam");
  assertEquals(allocated, 0, "addresses are still allocated");
  const { stdout } = await node.inNode(["ip", "-o", "link"]);
  assertEquals(stdout.trim().split("\n").map((line) => line.split(": ")[1]), ["lo"]);
}

/** What the data plane holds, comparable as JSON: sorted, without indexes that differ by history. */
export interface DataPlane {
  readonly interfaces: readonly string[];
  readonly routes: readonly string[];
  readonly neighbours: readonly string[];
}

/** Dumps the data plane over VPP's API. */
export async function readDataPlane(node: TestNode): Promise<DataPlane> {
  const { VppClient } = await import("@contiv/vppapi");
  const { IpAddress } = await import("@contiv/net");
  await using vpp = await VppClient.connect({ path: node.sandbox.sockets.vpp, name: "test" });
  const text = (family: number, bytes: Uint8Array): string =>
    IpAddress.from(bytes.subarray(0, family === 0 ? 4 : 16)).toString();
  const routes: string[] = [];
  const neighbours: string[] = [];
  const links = await vpp.dump("sw_interface_dump");
  const nameOf = new Map(links.map((link) => [link.sw_if_index, link.interface_name]));
  for (const is_ip6 of [false, true]) {
    for (
      const { route } of await vpp.dump("ip_route_v2_dump", { table: { table_id: 0, is_ip6 } })
    ) {
      const { address, len } = route.prefix;
      const via = route.paths.map((path) => nameOf.get(path.sw_if_index) ?? "-").join(",");
      routes.push(`${text(address.af, address.un)}/${len} via ${via}`);
    }
    for (
      const { neighbor } of await vpp.dump("ip_neighbor_dump", {
        sw_if_index: 0xffffffff,
        af: is_ip6 ? 1 : 0,
      })
    ) {
      const { af, un } = neighbor.ip_address;
      neighbours.push(`${text(af, un)} on ${nameOf.get(neighbor.sw_if_index)}`);
    }
  }
  return {
    interfaces: links.map((link) => `${link.interface_name} ${link.tag} ${link.flags}`).sort(),
    routes: routes.sort(),
    neighbours: neighbours.sort(),
  };
}
