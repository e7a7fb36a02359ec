import type { FuzzTarget } from "./target.ts";
import { cnat } from "./targets/cnat.ts";
import { cniCodec } from "./targets/cni_codec.ts";
import { config } from "./targets/config.ts";
import { grpcServer } from "./targets/grpc_server.ts";
import { http2Client } from "./targets/http2_client.ts";
import { netlink } from "./targets/netlink.ts";
import { overlay } from "./targets/overlay.ts";
import { packets } from "./targets/packets.ts";
import { plugin } from "./targets/plugin.ts";
import { state } from "./targets/state.ts";
import { stateFiles } from "./targets/state_files.ts";
import { vppClient } from "./targets/vpp_client.ts";
import { vppServer } from "./targets/vpp_server.ts";

/** Every parser of octets that come from outside. */
export const TARGETS: readonly FuzzTarget[] = [
  plugin,
  cniCodec,
  http2Client,
  grpcServer,
  vppClient,
  vppServer,
  packets,
  overlay,
  cnat,
  netlink,
  config,
  state,
  stateFiles,
];

/** @throws {RangeError} if there is none of this name */
export function findTarget(name: string): FuzzTarget {
  const found = TARGETS.find((target) => target.name === name);
  if (found !== undefined) return found;
  throw new RangeError(`Cannot fuzz ${name}: one of ${TARGETS.map((t) => t.name)} wanted`);
}
