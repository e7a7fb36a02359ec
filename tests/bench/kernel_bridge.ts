import { run } from "../support/run_command.ts";
import type { BenchNamespace, BenchScope } from "./bench_scope.ts";

/** Where traffic goes from and to. */
export interface Path {
  readonly from: BenchNamespace["ns"];
  readonly to: BenchNamespace["ns"];
  /** The target's IPv4 address. */
  readonly address: string;
}

/**
 * Two namespaces on a kernel bridge, each by a veth pair; the peer of two pods on our switch.
 * @param mtu of the interfaces, octets
 */
export async function kernelBridge(scope: BenchScope, mtu = 1500): Promise<Path> {
  const [host, from, to] = [scope.namespace(), scope.namespace(), scope.namespace()];
  const ip = (ns: BenchNamespace, command: string): Promise<unknown> =>
    run("ip", ["-netns", ns.name, ...command.split(" ")]);
  await ip(host, `link add br0 mtu ${mtu} type bridge`);
  await ip(host, "link set br0 up");
  for (const [index, pod] of [from, to].entries()) {
    const peer = `peer eth0 mtu ${mtu} netns ${pod.name}`;
    await ip(host, `link add port${index} mtu ${mtu} type veth ${peer}`);
    await ip(host, `link set port${index} master br0 up`);
    await ip(pod, `address add 10.99.0.${index + 1}/24 dev eth0`);
    await ip(pod, "link set lo up");
    await ip(pod, "link set eth0 up");
  }
  return { from: from.ns, to: to.ns, address: "10.99.0.2" };
}
