import type { IpAddress } from "@contiv/net";
import type { NodePrefix } from "./node_prefix.ts";

/** Hands out one node prefix's pod addresses; a released address is reused last. */
export class AddressPool {
  constructor(_layout: NodePrefix) {}

  get layout(): NodePrefix {
    throw new Error("unwritten");
  }

  /** Addresses handed out. */
  get used(): number {
    throw new Error("unwritten");
  }

  /** @throws {IpamError} EXHAUSTED */
  allocate(): IpAddress {
    throw new Error("unwritten");
  }

  /**
   * Marks an address as handed out.
   * @throws {IpamError} OUTSIDE if no pod may have it, TAKEN
   */
  reserve(_address: IpAddress): void {
    throw new Error("unwritten");
  }

  /** Takes an address back. One that is not handed out is left alone. */
  release(_address: IpAddress): void {
    throw new Error("unwritten");
  }

  has(_address: IpAddress): boolean {
    throw new Error("unwritten");
  }
}
