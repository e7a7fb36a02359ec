/**
 * What the switch answers to the messages of VPP's API: a file per .api file of VPP, in it a table
 * from message name to handler. Handlers translate; what they act upon is in `core/` and `ports/`.
 *
 * @module
 */
import type { DumpHandlers, RequestHandlers } from "../handler.ts";
import { aclDumps, aclRequests } from "./acl.ts";
import { afPacketDumps, afPacketRequests } from "./af_packet.ts";
import { cnatDumps, cnatRequests } from "./cnat.ts";
import { gsoRequests } from "./gso.ts";
import { interfaceDumps, interfaceRequests } from "./interface.ts";
import { ip6NdRequests } from "./ip6_nd.ts";
import { ipDumps, ipRequests } from "./ip.ts";
import { ipNeighborDumps, ipNeighborRequests } from "./ip_neighbor.ts";
import { l2Dumps, l2Requests } from "./l2.ts";
import { memclntRequests } from "./memclnt.ts";
import { tapv2Dumps, tapv2Requests } from "./tapv2.ts";
import { tracedumpDumps, tracedumpRequests } from "./tracedump.ts";
import { urpfDumps, urpfRequests } from "./urpf.ts";
import { vlibRequests } from "./vlib.ts";
import { vpeRequests } from "./vpe.ts";
import { vxlanDumps, vxlanRequests } from "./vxlan.ts";

/** Every request served. */
export const REQUESTS: RequestHandlers = {
  ...memclntRequests,
  ...vpeRequests,
  ...vlibRequests,
  ...interfaceRequests,
  ...ipRequests,
  ...ipNeighborRequests,
  ...ip6NdRequests,
  ...tapv2Requests,
  ...afPacketRequests,
  ...tracedumpRequests,
  ...urpfRequests,
  ...l2Requests,
  ...cnatRequests,
  ...aclRequests,
  ...gsoRequests,
  ...vxlanRequests,
};

/** Every dump served. */
export const DUMPS: DumpHandlers = {
  ...interfaceDumps,
  ...ipDumps,
  ...ipNeighborDumps,
  ...tapv2Dumps,
  ...afPacketDumps,
  ...tracedumpDumps,
  ...urpfDumps,
  ...l2Dumps,
  ...cnatDumps,
  ...aclDumps,
  ...vxlanDumps,
};
