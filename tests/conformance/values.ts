import { IpAddress, IpPrefix, MacAddress } from "@contiv/net";
import type { Address, FibPath, Messages, Prefix, VppClient } from "@contiv/vppapi";

/** VPP's `~0`. */
export const NONE = 0xffffffff;

/** The `vl_api_address_t` of an address in text. */
export function address(text: string): Address {
  const { family, bytes } = IpAddress.parse(text);
  const un = new Uint8Array(16);
  un.set(bytes);
  return { af: family === 6 ? 1 : 0, un };
}

/** The `vl_api_prefix_t` of a prefix in text; its host bits stay. */
export function prefix(text: string): Prefix {
  const [ip = "", length = ""] = text.split("/");
  return { address: address(ip), len: Number(length) };
}

/** The text of a `vl_api_prefix_t`. */
export function prefixText({ address: { af, un }, len }: Prefix): string {
  return `${IpAddress.from(af === 1 ? un : un.subarray(0, 4))}/${len}`;
}

/** The text of a `vl_api_address_t`. */
export function addressText({ af, un }: Address): string {
  return IpAddress.from(af === 1 ? un : un.subarray(0, 4)).toString();
}

export function mac(text: string): Uint8Array {
  return MacAddress.parse(text).bytes;
}

/** A path over an interface, to a neighbour or, without one, to whoever is attached. */
export function via(swIfIndex: number, hop?: string, family: 4 | 6 = 4): Partial<FibPath> {
  const is6 = hop === undefined ? family === 6 : hop.includes(":");
  const nh = {
    address: hop === undefined ? new Uint8Array(16) : address(hop).un,
    via_label: 0,
    obj_id: 0,
    classify_table_index: 0,
  };
  return { sw_if_index: swIfIndex, proto: is6 ? 1 : 0, weight: 1, nh };
}

/** A route as one line: prefix, source and paths. */
export function routeText({ route }: Messages["ip_route_v2_details"]): string {
  const paths = route.paths.map(({ sw_if_index, type, proto, weight, nh: { address: bytes } }) => {
    const hop = IpAddress.from(proto === 1 ? bytes : bytes.subarray(0, 4));
    return `type ${type} if ${sw_if_index === NONE ? "-" : sw_if_index} ${hop} weight ${weight}`;
  });
  const network = IpPrefix.parse(prefixText(route.prefix)).network();
  return `${network} src ${route.src}: ${paths.join("; ")}`;
}

/** Makes a loopback that goes with the scope. */
export async function loopback(
  vpp: VppClient,
  up = true,
): Promise<AsyncDisposable & { readonly index: number }> {
  const { sw_if_index } = await vpp.request("create_loopback_instance");
  if (up) await vpp.request("sw_interface_set_flags", { sw_if_index, flags: 1 });
  return {
    index: sw_if_index,
    async [Symbol.asyncDispose](): Promise<void> {
      await vpp.requestRaw("delete_loopback", { sw_if_index });
    },
  };
}
