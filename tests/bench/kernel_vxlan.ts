import { run } from "../support/run_command.ts";
import type { BenchNamespace, BenchScope } from "./bench_scope.ts";
import type { Path } from "./kernel_bridge.ts";

/** Octets that VXLAN over IPv4 puts before a packet. */
const OVERHEAD = 50;

/**
 * Two namespaces on two hosts, each by a veth pair on a bridge that a VXLAN device joins with the
 * other host's; the hosts' uplinks are on a bridge of a third namespace. The peer of two pods on two
 * nodes of ours, in the same kind of namespaces.
 * @param mtu of the uplinks, octets
 */
export async function kernelVxlan(scope: BenchScope, mtu = 1_500): Promise<Path> {
  const fabric = scope.namespace();
  const hosts = [scope.namespace(), scope.namespace()];
  const pods = [scope.namespace(), scope.namespace()] as const;
  const ip = (ns: BenchNamespace, command: string): Promise<unknown> =>
    run("ip", ["-netns", ns.name, ...command.split(" ")]);
  await ip(fabric, "link add uplinks type bridge");
  await ip(fabric, "link set uplinks up");
  for (const [index, host] of hosts.entries()) {
    const pod = pods[index]!;
    const uplink = `peer eth0 mtu ${mtu} netns ${host.name}`;
    await ip(fabric, `link add uplink${index} mtu ${mtu} type veth ${uplink}`);
    await ip(fabric, `link set uplink${index} master uplinks up`);
    await ip(host, `address add 10.98.0.${index + 1}/24 dev eth0`);
    await ip(host, "link set eth0 up");
    await ip(host, `link add br0 mtu ${mtu - OVERHEAD} type bridge`);
    await ip(host, "link set br0 up");
    const ends = `local 10.98.0.${index + 1} remote 10.98.0.${2 - index}`;
    await ip(host, `link add vx0 mtu ${mtu - OVERHEAD} type vxlan id 10 ${ends} dstport 4789`);
    await ip(host, "link set vx0 master br0 up");
    const peer = `peer eth0 mtu ${mtu - OVERHEAD} netns ${pod.name}`;
    await ip(host, `link add pod0 mtu ${mtu - OVERHEAD} type veth ${peer}`);
    await ip(host, "link set pod0 master br0 up");
    await ip(pod, `address add 10.99.0.${index + 1}/24 dev eth0`);
    await ip(pod, "link set lo up");
    await ip(pod, "link set eth0 up");
  }
  return { from: pods[0].ns, to: pods[1].ns, address: "10.99.0.2" };
}
