import { EtherType } from "@contiv/net";
import { read16, read32 } from "../bytes.ts";
import { type Core, drop, punt } from "../core.ts";
import { errorIndex } from "../errors.ts";
import type { Packet } from "../packet.ts";
import { arpInput } from "./arp.ts";
import { formatEthernet } from "./format.ts";
import { ip4Input } from "./ip4_input.ts";
import { ip6Input } from "./ip6_input.ts";
import { l2Input } from "./l2_input.ts";

const DOWN = errorIndex("ethernet-input: subinterface down");
const SHORT = errorIndex("ethernet-input: llc length > packet length");
const MAC_MISMATCH = errorIndex("ethernet-input: l3 mac mismatch");
const UNKNOWN_TYPE = errorIndex("ethernet-input: unknown ethernet type");
const UNKNOWN_VLAN = errorIndex("ethernet-input: unknown vlan");

/** Counts a frame and hands it to its protocol, if it is for this interface. */
export function ethernetInput(core: Core, p: Packet): void {
  const { buffer, l2, rx } = p;
  const octets = p.end - l2;
  const counters = rx.counters;
  counters.rxPackets++;
  counters.rxBytes += octets;
  if (octets < 14) {
    counters.rxError++;
    return drop(core, p, SHORT);
  }
  if (p.traced) core.trace.add(p.nowMs, "ethernet-input", formatEthernet(p));
  if (!rx.up) return drop(core, p, DOWN);
  if (rx.bridge) return l2Input(core, p, rx);
  const high = read16(buffer, l2);
  const low = read32(buffer, l2 + 2);
  if (high & 0x100) {
    if (high === 0xffff && low === -1) counters.rxBroadcast++;
    else counters.rxMulticast++;
  } else if (low !== rx.macLow || high !== rx.macHigh) {
    return drop(core, p, MAC_MISMATCH);
  }
  p.l3 = l2 + 14;
  switch (read16(buffer, l2 + 12)) {
    case EtherType.IP4:
      return ip4Input(core, p);
    case EtherType.IP6:
      return ip6Input(core, p);
    case EtherType.ARP:
      return arpInput(core, p);
    case EtherType.VLAN:
    case EtherType.DOT1AD:
      return drop(core, p, UNKNOWN_VLAN);
    default:
      return punt(core, p, UNKNOWN_TYPE);
  }
}
