import { ARP_LENGTH, ArpOpcode, EtherType, MacAddress } from "@contiv/net";
import { read16, write16 } from "../bytes.ts";
import { type Core, drop, output } from "../core.ts";
import { errorIndex } from "../errors.ts";
import type { FibEntry } from "../fib/entry.ts";
import { EntryFlag, FibSource } from "../fib/source.ts";
import type { Interface } from "../interface.ts";
import type { Packet } from "../packet.ts";
import { addressAt, isUnspecified } from "../words.ts";
import { formatEthernet } from "./format.ts";

const L2_TYPE = errorIndex("arp-input: L2 type not ethernet");
const L3_TYPE = errorIndex("arp-input: L3 type not IP4");
const UNSET = errorIndex("arp-input: IP4 destination address is unset");
const DISABLED = errorIndex("arp-disabled: ARP Disabled");
const REPLIES = errorIndex("arp-reply: ARP replies sent");
const SOURCE_LOCAL = errorIndex("arp-reply: IP4 source address matches local interface");
const SOURCE_FOREIGN = errorIndex("arp-reply: IP4 source address not local to subnet");
const TARGET_FOREIGN = errorIndex("arp-reply: IP4 destination address not local to subnet");
const LEARNED = errorIndex("arp-reply: ARP request IP4 source address learned");
const L2_MISMATCH = errorIndex("arp-reply: ARP hw addr does not match L2 frame src addr");
const UNNUMBERED = errorIndex("arp-reply: RX interface is unnumbered to different subnet");
const PROBE = errorIndex("arp-reply: ARP probe or announcement dropped");
const OPCODE = errorIndex("arp-reply: ARP opcode not request");

const SENDER_MAC = 8;
const SENDER_IP = 14;
const TARGET_MAC = 18;
const TARGET_IP = 24;
/** The virtual routers of RFC 9568 answer with a MAC address of their own. */
const VRRP_PREFIX = [0, 0, 0x5e, 0, 1] as const;

/** Answers for own addresses and learns from answers, by VPP's rules (RFC 826). */
export function arpInput(core: Core, p: Packet): void {
  const { buffer, l3, rx } = p;
  if (p.end - l3 < ARP_LENGTH) return drop(core, p, L2_TYPE);
  if (p.traced) core.trace.add(p.nowMs, "arp-input", formatEthernet(p));
  if (read16(buffer, l3) !== 1) return drop(core, p, L2_TYPE);
  if (read16(buffer, l3 + 2) !== EtherType.IP4) return drop(core, p, L3_TYPE);
  const sender = addressAt(buffer, l3 + SENDER_IP, 4);
  if (isUnspecified(sender)) return drop(core, p, UNSET);
  if (rx.ip4Users === 0) return drop(core, p, DISABLED);

  const table = rx.ip4Table;
  const target = addressAt(buffer, l3 + TARGET_IP, 4);
  const to = table.longest(target, 32);
  const toInterface = to?.resolvingInterface;
  const borrows = rx.unnumberedTo !== undefined && rx.unnumberedTo === toInterface;

  // The sender must be on the link: a covering route of any source that says so will do.
  let from: FibEntry | undefined = table.longest(sender, 32);
  let attached = false;
  while (from !== undefined) {
    if (from.has(EntryFlag.LOCAL)) return drop(core, p, SOURCE_LOCAL);
    attached = from.has(EntryFlag.ATTACHED | EntryFlag.CONNECTED);
    if (attached || from.source(FibSource.DEFAULT_ROUTE)) break;
    from = table.cover(from);
  }
  if (!attached && !borrows) return drop(core, p, SOURCE_FOREIGN);

  const repeats = sender.equals(target);
  if (to?.source(FibSource.ADJ)) {
    if (toInterface !== rx.swIfIndex) return drop(core, p, TARGET_FOREIGN);
    // An announcement of a neighbour already known may change its MAC address.
    return repeats ? learn(core, p) : drop(core, p, OPCODE);
  }
  if (to === undefined || !to.has(EntryFlag.CONNECTED)) return drop(core, p, TARGET_FOREIGN);
  const isLocal = to.has(EntryFlag.LOCAL);
  const opcode = read16(buffer, l3 + 6);
  const isVirtual = opcode === ArpOpcode.REPLY &&
    VRRP_PREFIX.every((byte, i) => buffer[l3 + SENDER_MAC + i] === byte);
  if (!isVirtual && !sameMac(buffer, p.l2 + 6, l3 + SENDER_MAC)) return drop(core, p, L2_MISMATCH);

  if (opcode === ArpOpcode.REPLY) {
    return isLocal ? learn(core, p) : drop(core, p, TARGET_FOREIGN);
  }
  if (opcode !== ArpOpcode.REQUEST || !isLocal) return drop(core, p, OPCODE);
  const onOwnLink = toInterface === rx.swIfIndex && from?.resolvingInterface === rx.swIfIndex;
  if (!onOwnLink && !borrows) return drop(core, p, UNNUMBERED);
  if (repeats) return drop(core, p, PROBE);
  reply(core, p, rx);
}

function reply(core: Core, p: Packet, rx: Interface): void {
  const { buffer, l2, l3 } = p;
  const learned = {
    swIfIndex: rx.swIfIndex,
    address: addressAt(buffer, l3 + SENDER_IP, 4),
    mac: MacAddress.from(buffer.subarray(l3 + SENDER_MAC, l3 + SENDER_MAC + 6)),
    isStatic: false,
    noFibEntry: false,
  };
  write16(buffer, l3 + 6, ArpOpcode.REPLY);
  // Sender and target change places; the answer is ours.
  for (let i = 0; i < 4; i++) {
    const asked = buffer[l3 + TARGET_IP + i]!;
    buffer[l3 + TARGET_IP + i] = buffer[l3 + SENDER_IP + i]!;
    buffer[l3 + SENDER_IP + i] = asked;
  }
  buffer.copyWithin(l3 + TARGET_MAC, l3 + SENDER_MAC, l3 + SENDER_MAC + 6);
  buffer.set(rx.mac.bytes, l3 + SENDER_MAC);
  buffer.copyWithin(l2, l2 + 6, l2 + 12);
  buffer.set(rx.mac.bytes, l2 + 6);
  core.errors.counts[REPLIES]!++;
  if (p.traced) core.trace.add(p.nowMs, "arp-reply", "reply");
  buffer.fill(0, p.start, l2);
  output(core, p, rx.swIfIndex);
  core.neighbors.add(learned);
}

function learn(core: Core, p: Packet): void {
  const { buffer, l3, rx } = p;
  core.neighbors.add({
    swIfIndex: rx.swIfIndex,
    address: addressAt(buffer, l3 + SENDER_IP, 4),
    mac: MacAddress.from(buffer.subarray(l3 + SENDER_MAC, l3 + SENDER_MAC + 6)),
    isStatic: false,
    noFibEntry: false,
  });
  drop(core, p, LEARNED);
}

function sameMac(buffer: Uint8Array, a: number, b: number): boolean {
  for (let i = 0; i < 6; i++) if (buffer[a + i] !== buffer[b + i]) return false;
  return true;
}
