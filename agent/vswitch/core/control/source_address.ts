import type { IpAddress } from "@contiv/net";
import type { Interface } from "../interface.ts";
import { commonBits, isLinkLocal } from "../words.ts";

/** The interface's own addresses, or those that it borrows. */
export function usableAddresses(
  interfaces: readonly (Interface | undefined)[],
  at: Interface,
): Interface["addresses"] {
  if (at.unnumberedTo === undefined) return at.addresses;
  return interfaces[at.unnumberedTo]?.addresses ?? [];
}

/**
 * The address that this node speaks from on an interface: the one that shares most leading bits
 * with the destination, the link-local one towards the link itself.
 */
export function sourceAddress(
  interfaces: readonly (Interface | undefined)[],
  at: Interface,
  towards: IpAddress,
): IpAddress | undefined {
  const linkScope = isLinkLocal(towards) ||
    (towards.family === 6 && towards.bytes[0] === 0xff && towards.bytes[1] === 2);
  if (linkScope) return at.ip6LinkLocal;
  let best: IpAddress | undefined;
  let bestBits = -1;
  for (const { address } of usableAddresses(interfaces, at)) {
    if (address.family !== towards.family) continue;
    const bits = commonBits(address, towards);
    if (bits > bestBits) [best, bestBits] = [address, bits];
  }
  return best;
}
