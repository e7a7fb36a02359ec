import type { Family, IpAddress } from "@contiv/net";
import type { NodePrefix } from "./node_prefix.ts";

/** What one attachment holds: one address per family, IPv4 first. */
export interface Allocation {
  readonly key: string;
  readonly addresses: readonly IpAddress[];
}

/** A record that does not fit: what is wrong, and with which address. */
export interface AllocationProblem {
  readonly key: string;
  readonly address: IpAddress;
  /**
   * `outside`: no pod of this node may have it; the attachment keeps it until it is released.
   * `doubled`: `holder` has it; the record was not taken over.
   */
  readonly problem: "outside" | "doubled";
  readonly holder?: string;
}

/** The addresses of one node's attachments, in each family that the node has a prefix of. */
export class Ipam {
  /**
   * @param layouts at most one per family
   * @throws {IpamError} BAD_PREFIX if there is none, or two of one family
   */
  constructor(_layouts: readonly NodePrefix[]) {}

  /** The node's prefixes, IPv4 first. */
  get layouts(): readonly NodePrefix[] {
    throw new Error("unwritten");
  }

  layout(_family: Family): NodePrefix | undefined {
    throw new Error("unwritten");
  }

  /** Attachments that hold addresses. */
  get size(): number {
    throw new Error("unwritten");
  }

  /**
   * One address per family, IPv4 first; the same ones if the key has them already. Either all
   * families or none.
   * @throws {IpamError} EXHAUSTED
   */
  allocate(_key: string): readonly IpAddress[] {
    throw new Error("unwritten");
  }

  /** Takes an attachment's addresses back and says which; none if it has none. */
  release(_key: string): readonly IpAddress[] {
    throw new Error("unwritten");
  }

  get(_key: string): readonly IpAddress[] | undefined {
    throw new Error("unwritten");
  }

  list(): readonly Allocation[] {
    throw new Error("unwritten");
  }

  /** Replaces all allocations by the recorded ones and reports those that do not fit. */
  rebuild(_records: Iterable<Allocation>): readonly AllocationProblem[] {
    throw new Error("unwritten");
  }
}
