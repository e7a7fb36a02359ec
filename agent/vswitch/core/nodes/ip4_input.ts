import { IP4_HEADER_LENGTH } from "@contiv/net";
import { ip4HeaderSum, read16 } from "../bytes.ts";
import { type Core, drop, punt } from "../core.ts";
import { errorIndex } from "../errors.ts";
import type { Packet } from "../packet.ts";
import { onesSum } from "@contiv/net";
import { UrpfMode } from "../types.ts";
import { cnatInput } from "./cnat_input.ts";
import { formatIp } from "./format.ts";
import { icmp4Error, TIME_EXCEEDED_4 } from "./icmp4_error.ts";
import { ip4Inacl } from "./inacl.ts";
import { ip4Local } from "./ip4_local.ts";
import { ip4Lookup } from "./ip4_lookup.ts";
import { ip4Urpf } from "./urpf.ts";

const VERSION = errorIndex("ip4-input: ip4 version != 4");
const IHL = errorIndex("ip4-input: ip4 IHL < 5");
const OPTIONS = errorIndex("ip4-input: ip4 options present");
const CHECKSUM = errorIndex("ip4-input: bad ip4 checksum");
const TTL = errorIndex("ip4-input: ip4 ttl <= 1");
const OFFSET_ONE = errorIndex("ip4-input: ip4 fragment offset == 1");
const SHORT = errorIndex("ip4-input: ip4 length < 20 bytes");
const LONG = errorIndex("ip4-input: ip4 length > l2 length");
const NOT_ENABLED = errorIndex("ip4-not-enabled: ip4 not enabled");
const RPF = errorIndex("ip4-input: Multicast RPF check failed");

/** Checks an IPv4 header; what fails several checks is counted for the last, as in VPP. */
export function ip4Input(core: Core, p: Packet): void {
  const { buffer, l3, rx } = p;
  const octets = p.end - l3;
  rx.counters.ip4++;
  if (p.traced) core.trace.add(p.nowMs, "ip4-input", formatIp(p));
  if (octets < IP4_HEADER_LENGTH) return drop(core, p, LONG);
  let error = buffer[l3] === 0x45
    ? ip4HeaderSum(buffer, l3) === 0xffff ? 0 : CHECKSUM
    : checkUncommon(p, octets);
  if (buffer[l3 + 8] === 0) error = TTL;
  if ((read16(buffer, l3 + 6) & 0x1fff) === 1) error = OFFSET_ONE;
  const length = read16(buffer, l3 + 2);
  if (length < IP4_HEADER_LENGTH) error = SHORT;
  if (length > octets) error = LONG;
  if (error !== 0) {
    if (error === OPTIONS) return punt(core, p, OPTIONS);
    if (error === TTL) icmp4Error(core, p, TIME_EXCEEDED_4, 0, 0);
    return drop(core, p, error);
  }
  const isGroup = (buffer[l3 + 16]! & 0xf0) === 0xe0;
  if (rx.ip4Urpf !== UrpfMode.OFF && !isGroup && ip4Urpf(core, p)) return;
  if (rx.ip4Users === 0) return drop(core, p, NOT_ENABLED);
  if (isGroup) return multicast(core, p);
  ip4Unicast(core, p);
}

/** Takes a packet whose header and sender are right on its way. */
export function ip4Unicast(core: Core, p: Packet): void {
  const { rx } = p;
  if (rx.cnat && cnatInput(core, p, 4)) return;
  if (rx.ip4Macip !== undefined && ip4Inacl(core, p, rx.ip4Macip)) return;
  ip4Lookup(core, p, rx.ip4Table);
}

function checkUncommon({ buffer, l3 }: Packet, octets: number): number {
  if (buffer[l3]! >>> 4 !== 4) return VERSION;
  const header = (buffer[l3]! & 0xf) * 4;
  if (header < IP4_HEADER_LENGTH) return IHL;
  if (header > octets || onesSum(buffer, l3, header) !== 0xffff) return CHECKSUM;
  return OPTIONS;
}

/** This node hears 224.0.0.1 and 224.0.0.2 only, and forwards no group. */
function multicast(core: Core, p: Packet): void {
  const { buffer, l3 } = p;
  const host = buffer[l3 + 19];
  const heard = buffer[l3 + 16] === 224 && buffer[l3 + 17] === 0 && buffer[l3 + 18] === 0 &&
    (host === 1 || host === 2);
  if (heard && p.rx.ip4Members > 0) ip4Local(core, p);
  else drop(core, p, RPF);
}
