import type { Examination, HostEcho } from "./examination.ts";
import type { Finding } from "./finding.ts";

/** Hosts of nodes reach each other, as far as it could be tried from here. */
export function checkReach({ echoes, view }: Examination): Finding[] {
  const pairs = new Map<string, HostEcho[]>();
  for (const echo of echoes) {
    if (echo.answered) continue;
    const pair = `${echo.from} ${echo.to}`;
    pairs.set(pair, [...pairs.get(pair) ?? [], echo]);
  }
  return Array.from(pairs.values(), (failed) => {
    const [{ from, reason, to }] = failed as [HostEcho];
    const { port, transport } = view.config ?? {};
    const ends = [from, to].map((name) => view.records.get(name)?.uplink.join("/") || "no address");
    const way = transport === "none" ? "pods' packets as they are" : `UDP port ${port ?? 4789}`;
    return {
      subject: from,
      problem: `It gets no echo from ${to} (${failed.map(({ address }) => address).join(", ")})${
        reason === undefined ? "" : `: ${reason}`
      }.`,
      remedy: `See that ${to}'s VPP runs, and that the network between the uplinks ${
        ends.join(" and ")
      } lets ${way} through; contiv ctl trace ${from} ${to} shows how far a packet gets.`,
    };
  });
}
