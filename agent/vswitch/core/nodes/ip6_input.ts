import { IP6_HEADER_LENGTH } from "@contiv/net";
import { read32 } from "../bytes.ts";
import { type Core, drop } from "../core.ts";
import { errorIndex } from "../errors.ts";
import type { Packet } from "../packet.ts";
import { UrpfMode } from "../types.ts";
import { cnatInput } from "./cnat_input.ts";
import { formatIp } from "./format.ts";
import { icmp6Error, TIME_EXCEEDED_6 } from "./icmp6_error.ts";
import { ip6Inacl } from "./inacl.ts";
import { ip6Local } from "./ip6_local.ts";
import { ip6Lookup } from "./ip6_lookup.ts";
import { ip6Urpf } from "./urpf.ts";

const VERSION = errorIndex("ip6-input: ip6 version != 6");
const HOP_LIMIT = errorIndex("ip6-input: ip6 ttl <= 1");
const SHORT = errorIndex("ip6-input: ip6 length < 40 bytes");
const RPF = errorIndex("ip6-input: Multicast RPF check failed");
const NOT_ENABLED = errorIndex("ip6-not-enabled: ip6 not enabled");

/** Checks an IPv6 header. */
export function ip6Input(core: Core, p: Packet): void {
  const { buffer, l3, rx } = p;
  rx.counters.ip6++;
  if (p.traced) core.trace.add(p.nowMs, "ip6-input", formatIp(p));
  if (p.end - l3 < IP6_HEADER_LENGTH) return drop(core, p, SHORT);
  if (buffer[l3 + 7] === 0) {
    icmp6Error(core, p, TIME_EXCEEDED_6, 0, 0);
    return drop(core, p, HOP_LIMIT);
  }
  if (buffer[l3]! >>> 4 !== 6) return drop(core, p, VERSION);
  const isGroup = buffer[l3 + 24] === 0xff;
  if (rx.ip6Urpf !== UrpfMode.OFF && !isGroup && ip6Urpf(core, p)) return;
  if (rx.ip6Users === 0) return drop(core, p, NOT_ENABLED);
  if (isGroup) return multicast(core, p);
  ip6Unicast(core, p);
}

/** Takes a packet whose header and sender are right on its way. */
export function ip6Unicast(core: Core, p: Packet): void {
  const { rx } = p;
  if (rx.cnat && cnatInput(core, p, 6)) return;
  if (rx.ip6Macip !== undefined && ip6Inacl(core, p, rx.ip6Macip)) return;
  ip6Lookup(core, p, rx.ip6Table);
}

/** This node hears link-local groups that RFC 4291 and RFC 3810 ask of it, and forwards none. */
function multicast(core: Core, p: Packet): void {
  const { buffer, l3, rx } = p;
  const low = read32(buffer, l3 + 36);
  const middle = read32(buffer, l3 + 32);
  const linkScope = read32(buffer, l3 + 24) === (0xff020000 | 0) && read32(buffer, l3 + 28) === 0;
  const solicited = middle === 1 && low >>> 24 === 0xff;
  const allNodes = middle === 0 && (low === 1 || low === 2 || low === 0x16);
  if (linkScope && rx.ip6Enabled && (solicited || allNodes)) ip6Local(core, p);
  else drop(core, p, RPF);
}
