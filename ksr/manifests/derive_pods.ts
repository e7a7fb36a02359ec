import { type Manifest, Raw, readPrefix, type Report, type Workload } from "@contiv/kubernetes";
import type { IpPrefix } from "@contiv/net";

/**
 * On a workload: prefixes that its pods' addresses come from, one of each family, separated by
 * commas; the first pod gets the second address. Without it pods have no address.
 */
export const POD_ADDRESSES = "contiv.io/pod-addresses";

/** More is a slip of the keyboard. */
const MAX_REPLICAS = 10_000;

/**
 * The pods that a workload's controller and the scheduler would make: `NAME-0`, `NAME-1` and so on
 * over the nodes in turn, or one on each node for a DaemonSet.
 * @param nodes names, sorted
 */
export function derivePods(
  workload: Workload,
  manifest: Manifest,
  nodes: readonly string[],
  report: Report,
): Manifest[] {
  const raw = Raw.of(manifest, report);
  const { name, namespace = "default" } = manifest.metadata;
  const template = raw.at("spec").at("template");
  const count = workload === "DaemonSet"
    ? nodes.length
    : raw.at("spec").at("replicas").integer(0, MAX_REPLICAS) ?? 1;
  const given = raw.at("metadata").at("annotations").at(POD_ADDRESSES);
  const prefixes = given.parsed(readPrefixes, "prefixes in CIDR notation") ?? [];
  const spec = template.at("spec").value ?? {};
  return Array.from({ length: count }, (_, i) => {
    const node = template.at("spec").at("nodeName").text() ?? nodes[i % nodes.length];
    const addresses = prefixes.filter(({ size }) => BigInt(i) + 1n < size).map((prefix) =>
      prefix.first.add(BigInt(i) + 1n).toString()
    );
    return {
      metadata: {
        name: `${name}-${workload === "DaemonSet" ? nodes[i] : i}`,
        namespace,
        labels: template.at("metadata").at("labels").value ?? {},
      },
      spec: { ...spec, ...(node === undefined ? {} : { nodeName: node }) },
      status: {
        phase: addresses.length > 0 ? "Running" : "Pending",
        podIPs: addresses.map((ip) => ({ ip })),
      },
    };
  });
}

function readPrefixes(text: string): IpPrefix[] | undefined {
  const prefixes = text.split(",").map(readPrefix);
  const known = prefixes.filter((each) => each !== undefined);
  return known.length === prefixes.length ? known : undefined;
}
