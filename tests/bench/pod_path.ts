import { NetNs } from "@contiv/libc";
import type { BenchScope } from "./bench_scope.ts";
import type { Path } from "./kernel_bridge.ts";

/** Two pods of a node of ours. */
export async function podPath(scope: BenchScope, mtu = 1_500): Promise<Path> {
  const node = await scope.node();
  await node.configureAgent({ mtu });
  const [from, to] = [await node.sandbox.addPod("from"), await node.sandbox.addPod("to")];
  return {
    from: scope.use(NetNs.open(scope.libc, from.netns)),
    to: scope.use(NetNs.open(scope.libc, to.netns)),
    address: to.addresses[0] ?? "",
  };
}
