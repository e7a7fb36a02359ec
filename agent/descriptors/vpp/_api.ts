import { IpAddress, IpPrefix } from "@contiv/net";
import {
  type Address,
  AddressFamily,
  type Prefix,
  VppApiError,
  type VppClient,
} from "@contiv/vppapi";
import type { Retrieved } from "../../reconciler/api.ts";
import type { VppInterfaceMeta } from "../../items/mod.ts";

/** An address as VPP's `vl_api_address_t`, whose union always has 16 octets. */
export function toAddress(address: IpAddress): Address {
  const un = new Uint8Array(16);
  un.set(address.bytes);
  return { af: address.family === 4 ? AddressFamily.IP4 : AddressFamily.IP6, un };
}

/** VPP's `vl_api_address_t` as an address. */
export function fromAddress({ af, un }: Address): IpAddress {
  return IpAddress.from(af === AddressFamily.IP4 ? un.subarray(0, 4) : un);
}

export function toPrefix(prefix: IpPrefix): Prefix {
  return { address: toAddress(prefix.address), len: prefix.length };
}

export function fromPrefix({ address, len }: Prefix): IpPrefix {
  return IpPrefix.of(fromAddress(address), len);
}

/** Waits for a deletion; what VPP says of a thing that is not there counts as deleted. */
export async function deleted(request: Promise<unknown>, ...absent: string[]): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!(error instanceof VppApiError) || !absent.includes(error.code)) throw error;
  }
}

/** What VPP answers for an interface that does not exist. */
export const NO_INTERFACE = ["INVALID_SW_IF_INDEX", "INVALID_INTERFACE"] as const;

/** The keys of retrieved interfaces by their index in VPP. */
export function keysByIndex(known: ReadonlyMap<string, Retrieved>): ReadonlyMap<number, string> {
  const keys = new Map<number, string>();
  for (const [key, { meta }] of known) {
    if (isInterfaceMeta(meta)) keys.set(meta.swIfIndex, key);
  }
  return keys;
}

function isInterfaceMeta(meta: unknown): meta is VppInterfaceMeta {
  return typeof meta === "object" && meta !== null && "swIfIndex" in meta &&
    typeof meta.swIfIndex === "number";
}

/** Finds an interface's index by what identifies it. */
export async function findInterface(
  client: VppClient,
  matches: (details: { readonly tag: string; readonly interface_name: string }) => boolean,
): Promise<number | undefined> {
  const all = await client.dump("sw_interface_dump");
  return all.find(matches)?.sw_if_index;
}
