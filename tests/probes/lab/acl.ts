import { AclAction, type AclRule, type VppClient } from "@contiv/vppapi";
import { NONE, prefix } from "../../conformance/values.ts";

/** A rule in short. */
export interface Rule {
  readonly action: "deny" | "permit" | "reflect";
  /** @default any */
  readonly from?: string;
  /** @default any */
  readonly to?: string;
  /** @default 0, any */
  readonly protocol?: number;
  /** Destination port, or ICMP code. @default any */
  readonly port?: number;
  /** @default false */
  readonly ip6?: boolean;
}

const ACTIONS = {
  deny: AclAction.DENY,
  permit: AclAction.PERMIT,
  reflect: AclAction.PERMIT_REFLECT,
} as const;

function fields(rule: Rule): AclRule {
  const any = rule.ip6 === true ? "::/0" : "0.0.0.0/0";
  return {
    is_permit: ACTIONS[rule.action],
    src_prefix: prefix(rule.from ?? any),
    dst_prefix: prefix(rule.to ?? any),
    proto: rule.protocol ?? 0,
    srcport_or_icmptype_first: 0,
    srcport_or_icmptype_last: 65_535,
    dstport_or_icmpcode_first: rule.port ?? 0,
    dstport_or_icmpcode_last: rule.port ?? 65_535,
    tcp_flags_mask: 0,
    tcp_flags_value: 0,
  };
}

/** Makes a list, or replaces the one of this index; what no rule matches is denied. */
export async function setAcl(
  vpp: VppClient,
  rules: readonly Rule[],
  index: number = NONE,
): Promise<number> {
  const { acl_index } = await vpp.request("acl_add_replace", {
    acl_index: index,
    tag: "probe",
    r: rules.map(fields),
  });
  return acl_index;
}

/** The lists of an interface, for what comes in by it and what goes out. */
export async function applyAcls(
  vpp: VppClient,
  swIfIndex: number,
  input: readonly number[],
  output: readonly number[],
): Promise<void> {
  await vpp.request("acl_interface_set_acl_list", {
    sw_if_index: swIfIndex,
    n_input: input.length,
    acls: [...input, ...output],
  });
}
