import type { Examination } from "./examination.ts";
import type { Finding } from "./finding.ts";

/** The store answers, on every endpoint, and what it holds can be read. */
export function checkStore({ health, storeError, view }: Examination): Finding[] {
  const away = health.endpoints.filter(({ healthy }) => !healthy);
  if (!health.healthy || storeError !== undefined) {
    const reasons = away.map(({ endpoint, reason }) => `${endpoint}: ${reason ?? "no answer"}`);
    return [{
      subject: "store",
      problem: `The store does not answer: ${reasons.join("; ") || storeError}.`,
      remedy:
        "Start etcd (or contiv store), or name its endpoints with --store; until it is back, " +
        "nodes go on with what they know, and pods can be added and removed.",
    }];
  }
  return [
    ...away.map(({ endpoint, reason }) => ({
      subject: "store",
      problem: `${endpoint} does not answer, others do: ${reason ?? "no answer"}.`,
      remedy: "Restart this member, or take it out of the agents' and ksr's configuration.",
    })),
    ...view.unreadable.map((message) => ({
      subject: "store",
      problem: `${message}.`,
      remedy:
        "Correct the value, or delete the key if nobody knows it; its writer puts it there anew.",
    })),
  ];
}
