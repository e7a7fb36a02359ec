import {
  Icmp6Type,
  IP6_HEADER_LENGTH,
  type IpAddress,
  IpPrefix,
  MacAddress,
  NdOption,
} from "@contiv/net";
import { read16, write32 } from "../bytes.ts";
import { type Core, drop, output } from "../core.ts";
import { errorIndex } from "../errors.ts";
import { dpoIndex, DpoKind, dpoKind } from "../fib/dpo.ts";
import { EntryFlag, FibSource } from "../fib/source.ts";
import type { Packet } from "../packet.ts";
import { addressAt, addressWord, isLinkLocal, isUnspecified } from "../words.ts";
import { writeIcmp6Checksum } from "./icmp6_checksum.ts";

const NOT_ON_LINK = errorIndex("ip6-icmp-input: neighbor solicitations from source not on link");
const UNKNOWN = errorIndex("ip6-icmp-input: neighbor solicitations for unknown targets");
const SENT = errorIndex("ip6-icmp-input: neighbor advertisements sent");
const RECEIVED = errorIndex("ip6-icmp-input: neighbor advertisements received");

const TARGET = 8;
const OPTION = 24;
const SOLICITED_OVERRIDE = 0x60000000;

/** Learns from a solicitation and answers it if it asks for an own address (RFC 4861, 7.2.3). */
export function neighborSolicitation(core: Core, p: Packet): void {
  const { buffer, l2, l3, rx } = p;
  const icmp = l3 + IP6_HEADER_LENGTH;
  const source = addressAt(buffer, l3 + 8, 16);
  if (!isOnLink(core, p, source)) return drop(core, p, NOT_ON_LINK);
  const target = addressAt(buffer, icmp + TARGET, 16);
  const hasOption = optionAt(p, NdOption.SOURCE_LINK_LAYER);
  if (hasOption && !isUnspecified(source)) learn(core, p, source);
  if (!isOwn(p, target)) return drop(core, p, UNKNOWN);

  if (isUnspecified(source)) {
    buffer.set(ALL_NODES, l3 + 24);
  } else {
    buffer.set(source.bytes, l3 + 24);
  }
  buffer.set(target.bytes, l3 + 8);
  buffer[l3 + 7] = 255;
  buffer[icmp] = Icmp6Type.NEIGHBOR_ADVERTISEMENT;
  write32(buffer, icmp + 4, SOLICITED_OVERRIDE);
  if (hasOption) {
    buffer[icmp + OPTION] = NdOption.TARGET_LINK_LAYER;
    buffer.set(rx.mac.bytes, icmp + OPTION + 2);
  }
  writeIcmp6Checksum(p);
  buffer.copyWithin(l2, l2 + 6, l2 + 12);
  buffer.set(rx.mac.bytes, l2 + 6);
  buffer.fill(0, p.start, l2);
  core.errors.counts[SENT]!++;
  if (p.traced) core.trace.add(p.nowMs, "icmp6-neighbor-solicitation", `answers for ${target}`);
  output(core, p, rx.swIfIndex);
}

/** Learns from an advertisement. */
export function neighborAdvertisement(core: Core, p: Packet): void {
  const source = addressAt(p.buffer, p.l3 + 8, 16);
  if (!isOnLink(core, p, source)) return drop(core, p, NOT_ON_LINK);
  if (optionAt(p, NdOption.TARGET_LINK_LAYER) && !isUnspecified(source)) {
    learn(core, p, addressAt(p.buffer, p.l3 + IP6_HEADER_LENGTH + TARGET, 16));
  }
  drop(core, p, RECEIVED);
}

const ALL_NODES = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

/** VPP looks at a message with exactly one option of eight octets only. */
function optionAt({ buffer, l3 }: Packet, type: number): boolean {
  const at = l3 + IP6_HEADER_LENGTH + OPTION;
  return read16(buffer, l3 + 4) === OPTION + 8 && buffer[at] === type && buffer[at + 1] === 1;
}

function learn(core: Core, p: Packet, address: IpAddress): void {
  const at = p.l3 + IP6_HEADER_LENGTH + OPTION + 2;
  core.neighbors.add({
    swIfIndex: p.rx.swIfIndex,
    address,
    mac: MacAddress.from(p.buffer.subarray(at, at + 6)),
    isStatic: false,
    noFibEntry: false,
  });
}

/** Whether the route back leads over the receiving link. */
function isOnLink(core: Core, p: Packet, source: IpAddress): boolean {
  if (isUnspecified(source) || isLinkLocal(source)) return true;
  const dpo = p.rx.ip6Table.ip6!.lookup(
    addressWord(source, 0),
    addressWord(source, 1),
    addressWord(source, 2),
    addressWord(source, 3),
  );
  const index = dpoIndex(dpo);
  if (dpoKind(dpo) === DpoKind.GLEAN) return index === p.rx.swIfIndex;
  if (dpoKind(dpo) !== DpoKind.ADJACENCY) return false;
  return core.adjacencies.swIfIndex[index] === p.rx.swIfIndex;
}

function isOwn(p: Packet, target: IpAddress): boolean {
  if (isLinkLocal(target)) return p.rx.ip6LinkLocal?.equals(target) ?? false;
  const known = p.rx.ip6Table.get(IpPrefix.host(target))?.source(FibSource.INTERFACE);
  return known !== undefined && (known.flags & EntryFlag.LOCAL) !== 0;
}
