import type { ClusterConfig } from "@contiv/model";

/** Octets that VXLAN puts before an IP packet: Ethernet, VXLAN, UDP, and IPv4 or IPv6. */
export const VXLAN_OVERHEAD = { 4: 14 + 8 + 8 + 20, 6: 14 + 8 + 8 + 40 } as const;
/** The least that IPv6 allows (RFC 8200, 5), and what VPP's interfaces take at most. */
export const LEAST_MTU = 1280;
export const MOST_MTU = 9000;

/** The largest packets, in octets of IP. */
export interface NodeMtu {
  readonly uplink: number;
  /** Of pods, of `vpp1` and between nodes: what fits the uplink, tunnel included. */
  readonly pod: number;
}

/**
 * MTUs by the uplink's.
 * @throws {RangeError} if pods would get less than IPv6 allows
 */
export function nodeMtu(
  uplink: number,
  { transport, underlay }: Pick<ClusterConfig, "transport" | "underlay">,
): NodeMtu {
  const overhead = transport === "vxlan" ? VXLAN_OVERHEAD[underlay] : 0;
  const pod = Math.min(uplink, MOST_MTU) - overhead;
  if (pod < LEAST_MTU) {
    throw new RangeError(
      `Cannot connect pods over an uplink of MTU ${uplink}: they would get ${pod}, ` +
        `at least ${LEAST_MTU + overhead} wanted`,
    );
  }
  return { uplink: Math.min(uplink, MOST_MTU), pod };
}
