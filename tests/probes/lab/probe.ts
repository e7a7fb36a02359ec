import { missingPackages } from "../../support/packages.ts";
import { Lab } from "./lab.ts";

function missing(): string | undefined {
  if (!Deno.env.has("CONTIV_VPP")) return "CONTIV_VPP names no vpp binary";
  if (Deno.uid() !== 0) return "it needs root";
  return missingPackages().includes("iproute2") ? "it needs iproute2" : undefined;
}

const reason = missing();

/**
 * A question to a running VPP. Its assertions are what VPP 26.06 was seen to do, wanted or not, so
 * that a release which behaves differently fails the probe. Without VPP it is counted as skipped
 * and its name says why.
 *
 * @param config further sections of VPP's startup configuration
 */
export function probe(
  question: string,
  ask: (lab: Lab, t: Deno.TestContext) => Promise<void>,
  config = "",
): void {
  Deno.test({
    name: reason === undefined ? question : `${question} (skipped: ${reason})`,
    ignore: reason !== undefined,
    fn: async (t) => {
      await using lab = await Lab.start(config);
      await ask(lab, t);
    },
  });
}
