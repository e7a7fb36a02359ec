import { AddressIndex, type VswitchPod } from "@contiv/model";
import type { Family, IpPrefix } from "@contiv/net";
import { nameOf } from "../cluster_view.ts";
import type { Examination } from "./examination.ts";
import type { Finding } from "./finding.ts";

/** No address and no prefix means two things. */
export function checkAddresses({ view }: Examination): Finding[] {
  const findings: Finding[] = [];
  for (const [a, b] of overlaps(view)) {
    findings.push({
      subject: `${a.node}, ${b.node}`,
      problem: `Their pods' prefixes ${a.prefix} and ${b.prefix} overlap.`,
      remedy: "Remove one node's pods, delete its agent's state directory and restart the agent; " +
        "with prefixes of Kubernetes, correct the Nodes' podCIDRs first.",
    });
  }
  const uplinks = new Map<string, string>();
  for (const { name, uplink } of view.records.values()) {
    for (const address of uplink) {
      const other = uplinks.get(String(address));
      if (other === undefined) uplinks.set(String(address), name);
      else {
        findings.push({
          subject: `${other}, ${name}`,
          problem: `Both say that their uplink has ${address}.`,
          remedy: "Give one of them another under uplink.addresses in agent.json, and restart it.",
        });
      }
    }
  }
  const holders = new Map<string, VswitchPod>();
  for (const connection of view.connections) {
    for (const address of connection.addresses) {
      const other = holders.get(String(address));
      if (other === undefined) holders.set(String(address), connection);
      else {findings.push(twice(
          String(address),
          [other, connection].map((each) => `${nameOf(each)} on ${each.node}`),
        ));}
    }
  }
  const index = new AddressIndex();
  for (const pod of view.pods) index.set(pod);
  for (const { address, pods } of index.conflicts()) findings.push(twice(String(address), pods));
  return findings;
}

function twice(address: string, pods: readonly string[]): Finding {
  return {
    subject: address,
    problem: `${pods.join(" and ")} have the same address: it belongs to none of them.`,
    remedy: "Delete all but one of these pods; if it comes back, two nodes have one prefix.",
  };
}

interface NodePrefixClaim {
  readonly node: string;
  readonly prefix: IpPrefix;
}

/** Pairs that overlap. Prefixes nest or are apart, so that sorted ones meet in their neighbours. */
function* overlaps(
  { records }: Examination["view"],
): Iterable<readonly [NodePrefixClaim, NodePrefixClaim]> {
  const all = [...records.values()].flatMap(({ name, pods }) =>
    pods.map((prefix): NodePrefixClaim => ({ node: name, prefix }))
  );
  for (const family of [4, 6] satisfies Family[]) {
    const sorted = all.filter(({ prefix }) => prefix.family === family).sort((a, b) =>
      compare(a.prefix.first.toBigInt(), b.prefix.first.toBigInt()) ||
      a.prefix.length - b.prefix.length
    );
    let widest: NodePrefixClaim | undefined;
    for (const claim of sorted) {
      if (widest?.prefix.overlaps(claim.prefix)) yield [widest, claim];
      else widest = claim;
    }
  }
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
