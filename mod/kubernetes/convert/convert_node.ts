import type { Node } from "@contiv/model";
import type { IpAddress } from "@contiv/net";
import { readAddress, readPrefix } from "./lenient_address.ts";
import { readLabels, readName } from "./metadata.ts";
import type { Raw } from "./raw.ts";

/** Reads a v1 Node. @throws {ConversionError} */
export function convertNode(raw: Raw): Node {
  const spec = raw.at("spec");
  const addresses = raw.at("status").at("addresses").items();
  const ofType = (type: string): IpAddress[] =>
    addresses.filter((each) => each.at("type").text() === type).flatMap((each) =>
      each.at("address").parsed(readAddress, "an IP address") ?? []
    );
  const cidrs = spec.at("podCIDRs").items();
  return {
    ...readName(raw),
    labels: readLabels(raw),
    internal: ofType("InternalIP"),
    external: ofType("ExternalIP"),
    podCidrs: (cidrs.length > 0 ? cidrs : [spec.at("podCIDR")]).flatMap((each) =>
      each.parsed(readPrefix, "a prefix in CIDR notation") ?? []
    ),
  };
}
