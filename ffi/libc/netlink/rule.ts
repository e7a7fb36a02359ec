import { type Family, IpPrefix } from "@contiv/net";
import {
  FIB_RULE_INVERT,
  FR_ACT_BLACKHOLE,
  FR_ACT_GOTO,
  FR_ACT_NOP,
  FR_ACT_PROHIBIT,
  FR_ACT_TO_TBL,
  FR_ACT_UNREACHABLE,
  FRA_DST,
  FRA_FWMARK,
  FRA_FWMASK,
  FRA_GOTO,
  FRA_IIFNAME,
  FRA_OIFNAME,
  FRA_PRIORITY,
  FRA_SRC,
  FRA_TABLE,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  RT_TABLE_UNSPEC,
  RTM_DELRULE,
  RTM_GETRULE,
  RTM_NEWRULE,
} from "../constants/rtnetlink.ts";
import { fib_rule_hdr } from "../constants/structs.ts";
import { AttributeCursor } from "./attribute.ts";
import { malformed } from "./error.ts";
import { fromAddressFamily, readIp, toAddressFamily } from "./family.ts";
import { fixedPart } from "./message.ts";
import { NetlinkRequest } from "./request.ts";

const ACTIONS = {
  table: FR_ACT_TO_TBL,
  goto: FR_ACT_GOTO,
  nop: FR_ACT_NOP,
  blackhole: FR_ACT_BLACKHOLE,
  unreachable: FR_ACT_UNREACHABLE,
  prohibit: FR_ACT_PROHIBIT,
} as const;

/** What a rule does with a packet that it matches (linux/fib_rules.h, FR_ACT_*). */
export type RuleAction = keyof typeof ACTIONS | number;

const ACTION_NAMES: ReadonlyMap<number, RuleAction> = new Map(
  Object.entries(ACTIONS).map(([name, number]) => [number, name as keyof typeof ACTIONS]),
);

/** What of a packet a rule looks at, and where it stands among the rules. */
export interface RuleSpec {
  readonly family: Family;
  /** Rules are tried from the smallest up. @default the kernel takes the next smaller free one */
  readonly priority?: number;
  /** @default "table" */
  readonly action?: RuleAction;
  /** The table to look in. */
  readonly table?: number;
  readonly source?: IpPrefix;
  readonly destination?: IpPrefix;
  /** Name of the link the packet came in by. */
  readonly inputLink?: string;
  /** Name of the link that a socket is bound to. */
  readonly outputLink?: string;
  readonly mark?: number;
  readonly markMask?: number;
  /** The rule to go on with. */
  readonly goto?: number;
  /** Whether the rule is for the packets that do not match. @default false */
  readonly invert?: boolean;
}

/** A routing rule as the kernel describes it. */
export interface Rule extends RuleSpec {
  readonly priority: number;
  readonly action: RuleAction;
  readonly table: number;
  readonly invert: boolean;
}

/**
 * Reads the payload of an RTM_NEWRULE message.
 * @returns `undefined` for families other than IP
 * @throws {NetlinkError} EBADMSG
 */
export function decodeRule(payload: Uint8Array): Rule | undefined {
  const header = fixedPart(payload, fib_rule_hdr.size, "rule");
  const family = fromAddressFamily(header.getUint8(fib_rule_hdr.family));
  if (family === undefined) return undefined;
  const action = header.getUint8(fib_rule_hdr.action);
  const rule: { -readonly [K in keyof Rule]: Rule[K] } = {
    family,
    priority: 0,
    action: ACTION_NAMES.get(action) ?? action,
    table: header.getUint8(fib_rule_hdr.table),
    invert: (header.getUint32(fib_rule_hdr.flags, true) & FIB_RULE_INVERT) !== 0,
  };
  for (const cursor = new AttributeCursor(payload, fib_rule_hdr.size); cursor.next();) {
    switch (cursor.type) {
      case FRA_PRIORITY:
        rule.priority = cursor.u32();
        break;
      case FRA_TABLE:
        rule.table = cursor.u32();
        break;
      case FRA_SRC:
        rule.source = readPrefix(cursor, family, header.getUint8(fib_rule_hdr.src_len));
        break;
      case FRA_DST:
        rule.destination = readPrefix(cursor, family, header.getUint8(fib_rule_hdr.dst_len));
        break;
      case FRA_IIFNAME:
        rule.inputLink = cursor.text();
        break;
      case FRA_OIFNAME:
        rule.outputLink = cursor.text();
        break;
      case FRA_FWMARK:
        rule.mark = cursor.u32();
        break;
      case FRA_FWMASK:
        rule.markMask = cursor.u32();
        break;
      case FRA_GOTO:
        rule.goto = cursor.u32();
        break;
    }
  }
  return rule;
}

function readPrefix(cursor: AttributeCursor, family: Family, length: number): IpPrefix {
  const address = readIp(cursor);
  if (address.family !== family || length > address.bytes.length * 8) {
    throw malformed("rule", `prefix ${address}/${length} of an IPv${family} rule`);
  }
  return IpPrefix.of(address, length);
}

/** Asks for the rules of a family. */
export function ruleDump(family: Family): NetlinkRequest {
  return new NetlinkRequest(RTM_GETRULE, NLM_F_DUMP, fib_rule_hdr.size)
    .setU8(fib_rule_hdr.family, toAddressFamily(family));
}

/** Adds a rule. */
export function ruleCreation(spec: RuleSpec): NetlinkRequest {
  const action = spec.action ?? "table";
  return describe(RTM_NEWRULE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, spec)
    .setU8(fib_rule_hdr.action, typeof action === "number" ? action : ACTIONS[action]);
}

/** Deletes the first rule that matches what is given. */
export function ruleDeletion(spec: RuleSpec): NetlinkRequest {
  const { action } = spec;
  const number = typeof action === "string" ? ACTIONS[action] : action ?? 0;
  return describe(RTM_DELRULE, NLM_F_ACK, spec).setU8(fib_rule_hdr.action, number);
}

function describe(type: number, flags: number, spec: RuleSpec): NetlinkRequest {
  const table = spec.table ?? RT_TABLE_UNSPEC;
  const request = new NetlinkRequest(type, flags, fib_rule_hdr.size)
    .setU8(fib_rule_hdr.family, toAddressFamily(spec.family))
    .setU8(fib_rule_hdr.src_len, spec.source?.length ?? 0)
    .setU8(fib_rule_hdr.dst_len, spec.destination?.length ?? 0)
    .setU8(fib_rule_hdr.table, table > 255 ? RT_TABLE_UNSPEC : table)
    .setU32(fib_rule_hdr.flags, spec.invert ? FIB_RULE_INVERT : 0);
  if (table > 255) request.u32(FRA_TABLE, table);
  if (spec.priority !== undefined) request.u32(FRA_PRIORITY, spec.priority);
  if (spec.source !== undefined) request.bytes(FRA_SRC, spec.source.network().address.bytes);
  if (spec.destination !== undefined) {
    request.bytes(FRA_DST, spec.destination.network().address.bytes);
  }
  if (spec.inputLink !== undefined) request.text(FRA_IIFNAME, spec.inputLink);
  if (spec.outputLink !== undefined) request.text(FRA_OIFNAME, spec.outputLink);
  if (spec.mark !== undefined) request.u32(FRA_FWMARK, spec.mark);
  if (spec.markMask !== undefined) request.u32(FRA_FWMASK, spec.markMask);
  if (spec.goto !== undefined) request.u32(FRA_GOTO, spec.goto);
  return request;
}
