import { hasEnded } from "@contiv/model";
import { nameOf } from "../cluster_view.ts";
import type { Examination } from "./examination.ts";
import type { Finding } from "./finding.ts";

/** Milliseconds after which a connection should have been made. */
const CONNECTED_WITHIN_MS = 60_000;
/** Findings of one sort that are told one by one. */
const MAX_EACH = 20;

/** Every pod is connected where Kubernetes has it, with the addresses of its node. */
export function checkPods({ now, view }: Examination): Finding[] {
  const { connections, pods, records, vswitches } = view;
  const known = new Map(vswitches.keys().map((node) => [node, new Set<string>()]));
  for (const { addresses, node } of connections) {
    for (const address of addresses) known.get(node)?.add(String(address));
  }
  const live = pods.filter((pod) => !pod.hostNetwork && !hasEnded(pod) && pod.node !== undefined);
  const without = live.filter(({ addresses, phase }) =>
    phase === "Running" && addresses.length === 0
  );
  const foreign = live.filter(({ addresses, node = "" }) =>
    addresses.some((address) => known.get(node)?.has(String(address)) === false)
  );
  const outside = connections.filter(({ addresses, node }) => {
    const prefixes = records.get(node)?.pods;
    return prefixes !== undefined &&
      addresses.some((address) => !prefixes.some((prefix) => prefix.contains(address)));
  });
  const stuck = connections.filter(({ createdAt, state }) =>
    state === "adding" && now - createdAt > CONNECTED_WITHIN_MS
  );
  return [
    ...limited(without, (pod) => ({
      subject: `${pod.namespace}/${pod.name}`,
      problem: `It runs on ${pod.node} and has no address.`,
      remedy: "See the kubelet's log there for the answer of the CNI plugin, and that " +
        "/etc/cni/net.d names contiv first.",
    })),
    ...limited(foreign, (pod) => ({
      subject: `${pod.namespace}/${pod.name}`,
      problem: `The data plane of ${pod.node} does not know its address ${
        pod.addresses.join(", ")
      }.`,
      remedy: "Delete the pod so that it is made anew: it was connected by another plugin, or " +
        "before the node lost its state.",
    })),
    ...limited(outside, (pod) => ({
      subject: nameOf(pod),
      problem: `Its address ${pod.addresses.join(", ")} is not within the prefixes of ${pod.node}.`,
      remedy: "Delete the pod so that it is made anew: its node had other prefixes before.",
    })),
    ...limited(stuck, (pod) => ({
      subject: nameOf(pod),
      problem: `It has been connected with ${pod.node} for more than a minute, and is not yet.`,
      remedy: "See /items at the agent's status socket for what its items wait for.",
    })),
  ];
}

function limited<T>(all: readonly T[], say: (each: T) => Finding): Finding[] {
  const findings = all.slice(0, MAX_EACH).map(say);
  const last = findings.at(-1);
  if (last === undefined || all.length <= MAX_EACH) return findings;
  const more = `... and ${all.length - MAX_EACH} more`;
  return [...findings, { ...last, subject: more, problem: "The same holds for them." }];
}
