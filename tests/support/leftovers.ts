import { assertEquals } from "@contiv/assert";
import type { TestNode } from "./test_node.ts";
import { until } from "./until.ts";

/**
 * Fails unless a node without pods holds nothing of any pod: no attachment, no allocated address,
 * no interface, route, neighbour or list of senders in the data plane but the node's own, no link in the node's
 * namespace but `lo`.
 */
export async function assertNothingLeft(node: TestNode, before: DataPlane): Promise<void> {
  const read = async () => ({
    dataPlane: await readDataPlane(node),
    attachments: await node.status<unknown[]>("/attachments"),
    links: (await node.inNode(["ip", "-o", "link"])).stdout.trim().split("\n")
      .map((line) => line.split(": ")[1]),
  });
  const wanted = { dataPlane: before, attachments: [], links: ["lo"] };
  let now = await read();
  // A deletion may answer before the interface is gone.
  await until("nothing is left", async () => {
    now = await read();
    return JSON.stringify(now) === JSON.stringify(wanted);
  }).catch(() => {});
  assertEquals<unknown>(now, wanted, "something is left of the pods");
}

/** What the data plane holds, comparable as JSON: sorted, without indexes that differ by history. */
export interface DataPlane {
  readonly interfaces: readonly string[];
  readonly routes: readonly string[];
  readonly neighbours: readonly string[];
  /** Lists of senders, and the interfaces that they hold for. */
  readonly senders: readonly string[];
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
  // By tag, as the numbers of interfaces depend on the order in which they were made.
  const nameOf = new Map(links.map((link) => [link.sw_if_index, link.tag || link.interface_name]));
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
  const lists = await vpp.dump("macip_acl_dump");
  const tagOf = new Map(lists.map(({ acl_index, tag }) => [acl_index, tag]));
  const checks = await vpp.dump("macip_acl_interface_list_dump", { sw_if_index: 0xffffffff });
  return {
    interfaces: links.map((link) => `${nameOf.get(link.sw_if_index)} ${link.flags}`).sort(),
    routes: routes.sort(),
    neighbours: neighbours.sort(),
    senders: [
      ...tagOf.values(),
      ...checks.map(({ sw_if_index, acls }) =>
        `${nameOf.get(sw_if_index)} takes ${acls.map((index) => tagOf.get(index))}`
      ),
    ].sort(),
  };
}
