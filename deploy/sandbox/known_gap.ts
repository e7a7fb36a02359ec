import type { DataPlaneChoice } from "./data_plane.ts";
import { INTERNET } from "./fabric.ts";
import type { Endpoint, MatrixCell } from "./probe/mod.ts";

/**
 * Whether a path is one that the data plane is known not to have: VPP 26.06 does not find the
 * answers to pods' IPv6 echoes that leave the cluster. Record: 0031.
 */
export function isKnownGap(
  { kind }: DataPlaneChoice,
  pods: readonly Pick<Endpoint, "name">[],
  { address, from, protocol }: Pick<MatrixCell, "address" | "from" | "protocol">,
): boolean {
  const leaves = address.includes(":") && (INTERNET as readonly string[]).includes(address);
  return kind === "vpp" && protocol === "icmp" && leaves && pods.some(({ name }) => name === from);
}
