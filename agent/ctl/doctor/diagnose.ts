import { checkAddresses } from "./check_addresses.ts";
import { checkAgents } from "./check_agents.ts";
import { checkKsr } from "./check_ksr.ts";
import { checkMtu } from "./check_mtu.ts";
import { checkNodes } from "./check_nodes.ts";
import { checkPods } from "./check_pods.ts";
import { checkReach } from "./check_reach.ts";
import { checkStore } from "./check_store.ts";
import type { Examination } from "./examination.ts";
import type { Finding } from "./finding.ts";

/** What is wrong, causes before what may follow from them. */
export function diagnose(examination: Examination): readonly Finding[] {
  const { storeError } = examination;
  // What could not be read is not wrong for that.
  const stored = storeError === undefined
    ? [checkKsr, checkNodes, checkAgents, checkMtu, checkAddresses, checkPods]
    : [checkAgents];
  return [checkStore, ...stored, checkReach].flatMap((check) => check(examination));
}
