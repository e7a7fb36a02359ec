import type { CniDns, CniResult } from "@contiv/cni-spec";
import { IpAddress } from "@contiv/net";
import type { Attachment } from "../attachments/mod.ts";
import type { NodePrefix } from "../ipam/mod.ts";

/** What ADD answers for an attachment, without what plugins before it in a chain did. */
export function addResult(
  attachment: Attachment,
  layouts: readonly NodePrefix[],
  dns?: CniDns,
): CniResult {
  const gateways = attachment.addresses.flatMap((text) => {
    const { family } = IpAddress.parse(text);
    const layout = layouts.find((each) => each.prefix.family === family);
    return layout === undefined ? [] : [{ text, family, gateway: String(layout.gateway) }];
  });
  return {
    interfaces: [{
      name: attachment.ifname,
      mac: attachment.mac,
      mtu: attachment.mtu,
      sandbox: attachment.netns.path,
    }],
    ips: gateways.map(({ text, family, gateway }) => ({
      address: `${text}/${family === 4 ? 32 : 128}`,
      gateway,
      interface: 0,
    })),
    routes: gateways.map(({ family, gateway }) => ({
      dst: family === 4 ? "0.0.0.0/0" : "::/0",
      gw: gateway,
    })),
    ...dns && { dns },
  };
}

/**
 * How a prevResult contradicts what ADD answered, if it does (CNI 1.1.0, section 2, CHECK: the
 * container must be as the prevResult says). Other plugins may have added to it.
 */
export function contradiction(previous: CniResult, own: CniResult): string | undefined {
  const [device] = own.interfaces;
  const listed = previous.interfaces.find((each) =>
    each.name === device?.name && each.sandbox !== undefined
  );
  if (device === undefined || listed === undefined) {
    return `prevResult lacks interface ${device?.name}`;
  }
  if (listed.mac !== undefined && listed.mac.toLowerCase() !== device.mac) {
    return `prevResult gives ${device.name} MAC address ${listed.mac}, ${device.mac} wanted`;
  }
  const missing = own.ips.find((ip) => !previous.ips.some((each) => each.address === ip.address));
  return missing && `prevResult lacks address ${missing.address}`;
}
