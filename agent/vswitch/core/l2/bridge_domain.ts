import { MacTable } from "../tables/mac_table.ts";

/** Marks of a MAC address in a bridge domain (VPP: l2/l2_fib.h). */
export const MacFlag = {
  /** It does not age. */
  STATIC: 1,
  /** Frames to it are dropped. */
  FILTER: 2,
  /** It is the domain's own interface's. */
  BVI: 4,
} as const;

const FLAG_BITS = 3;
const FLAG_MASK = (1 << FLAG_BITS) - 1;

/** A MAC address's interface and marks in one small number. */
export function macEntry(swIfIndex: number, flags: number): number {
  return swIfIndex << FLAG_BITS | flags;
}

export function macEntryInterface(entry: number): number {
  return entry >>> FLAG_BITS;
}

export function macEntryFlags(entry: number): number {
  return entry & FLAG_MASK;
}

/** A bridge domain: its member interfaces and where MAC addresses are. */
export class BridgeDomain {
  readonly bdId: number;
  readonly tag: string;
  /** Whether frames to known addresses are forwarded. */
  readonly forward: boolean;
  /** Split horizon groups by sw_if_index: none forwards to its own group, except 0. */
  readonly members = new Map<number, number>();
  /** sw_if_index of the bridged virtual interface: where layer 3 begins. */
  bvi: number | undefined;
  readonly macs = new MacTable();

  constructor(bdId: number, tag: string, forward: boolean) {
    this.bdId = bdId;
    this.tag = tag;
    this.forward = forward;
  }
}
