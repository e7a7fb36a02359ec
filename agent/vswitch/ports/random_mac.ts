import { MacAddress } from "@contiv/net";
import type { InterfacesOptions } from "./interfaces_options.ts";

/** A random address in the range that VPP takes its own from, `02:fe:...`. */
export function randomMac(random: InterfacesOptions["random"]): MacAddress {
  const bytes = new Uint8Array(6);
  random(bytes);
  bytes[0] = 0x02;
  bytes[1] = 0xfe;
  return MacAddress.from(bytes);
}
