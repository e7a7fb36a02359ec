import {
  ETHERNET_HEADER_LENGTH,
  EtherType,
  IP4_HEADER_LENGTH,
  Ip4Fragment,
  IP6_HEADER_LENGTH,
  IpProtocol,
  onesSum,
  VNET_NEEDS_CSUM,
  VnetGso,
  VnetOffset,
} from "@contiv/net";
import {
  ip4HeaderSum,
  read16,
  read32,
  readLe16,
  write16,
  writeIp4Checksum,
  writeLe16,
} from "./bytes.ts";
import { FlowState } from "./cnat/flow_state.ts";
import type { Interface } from "./interface.ts";
import type { Packet } from "./packet.ts";
import { HEADROOM, packetIn, resetScratch } from "./scratch_packet.ts";
import { SummedBuffer } from "./summed_buffer.ts";

const LARGEST_IP_PACKET = 0xffff;
const TCP_HEADER = 20;
const TCP_CHECKSUM = 16;

const TcpFlag = { FIN: 0x01, PSH: 0x08, ACK: 0x10, ECE: 0x40 } as const;

/** PSH and FIN in the word of TCP's header that has its length, its flags and its window. */
const ENDING_FLAGS = (TcpFlag.PSH | TcpFlag.FIN) << 16;

/**
 * Makes one segmentation frame of TCP segments that follow each other, so that a container's kernel
 * takes them at once (Linux: tcp_gro_receive). One flow's segments are held at a time. Cutting the
 * frame again gives exactly the segments that it was made of: they agree in all of their headers
 * but what counts up, each but the last has the same size, and a flag ends the run.
 */
export class Coalescer {
  /** No further segment belongs to what is held. */
  isComplete = false;
  readonly #buffer = new SummedBuffer(HEADROOM + LARGEST_IP_PACKET);
  readonly #held: Packet = packetIn(this.#buffer.bytes);
  readonly #view = new DataView(this.#buffer.bytes.buffer);
  /** The buffer of the segment at hand, for as long as it is the same one. */
  #fromBuffer: Uint8Array | undefined;
  #from = this.#view;
  /** Segments that are held. */
  #count = 0;
  /** Octets of payload of each but the last. */
  #size = 0;
  /** Where the held segment has its transport header and its payload. */
  #l4 = 0;
  #payload = 0;
  #nextSequence = 0;
  /** How far one segment's IPv4 identification is from the last one's: 0, 1, or -1 for unknown. */
  #idStep = -1;
  /** Where the segment at hand, which {@link #read} has looked into, has these. */
  #fromL4 = 0;
  #fromPayload = 0;

  /**
   * Appends a segment to what is held.
   * @param trusted its checksums need not be looked at: it came over no wire, or they were
   * @returns false if it does not follow
   */
  append(p: Packet, rx: Interface, trusted: boolean): boolean {
    const held = this.#held;
    if (this.#count === 0 || this.isComplete || held.rx !== rx || !this.#read(p)) return false;
    const payload = this.#fromPayload;
    const length = p.end - payload;
    if (
      length > this.#size || held.end + length - held.l3 > LARGEST_IP_PACKET ||
      !this.#follows(p)
    ) return false;
    const to = this.#buffer.bytes;
    to.set(p.buffer.subarray(payload, p.end), held.end);
    if (!trusted && !this.#isIntact(p, held.end)) return false;
    const flags = p.buffer[this.#fromL4 + 13]!;
    to[this.#l4 + 13]! |= flags;
    held.end += length;
    this.#nextSequence = (this.#nextSequence + length) | 0;
    this.#count++;
    this.isComplete = length < this.#size || (flags & (TcpFlag.PSH | TcpFlag.FIN)) !== 0;
    return true;
  }

  /**
   * Holds a segment that others may follow; nothing is held yet. Its headers are the frame's.
   * @param trusted its checksums need not be looked at
   * @returns false if none may
   */
  begin(p: Packet, rx: Interface, trusted: boolean): boolean {
    if (!this.#read(p)) return false;
    const { buffer, start, l2, end } = p;
    if ((buffer[this.#fromL4 + 13]! & (TcpFlag.PSH | TcpFlag.FIN)) !== 0) return false;
    const held = this.#held;
    resetScratch(held);
    const by = held.l2 - l2;
    this.#buffer.bytes.set(buffer.subarray(start, end), held.l2 - l2 + start);
    held.end = end + by;
    held.rx = rx;
    held.nowMs = p.nowMs;
    this.#l4 = this.#fromL4 + by;
    this.#payload = this.#fromPayload + by;
    if (!trusted && !this.#isIntact(p, this.#payload)) return false;
    this.#size = end - this.#fromPayload;
    this.#nextSequence = (read32(buffer, this.#fromL4 + 4) + this.#size) | 0;
    this.#idStep = -1;
    this.#count = 1;
    this.isComplete = false;
    return true;
  }

  /** Gives back what is held, if there is something, and holds nothing any more. */
  release(): Packet | undefined {
    if (this.#count === 0) return undefined;
    const held = this.#held;
    if (this.#count > 1) this.#finish(held);
    this.#count = 0;
    held.flowHash = 0;
    held.flow = -1;
    held.flowState = FlowState.NONE;
    return held;
  }

  /** Whether a frame is a TCP segment that can be one of many: with data, without what is rare. */
  #read(p: Packet): boolean {
    const { buffer, l2, end } = p;
    const l3 = l2 + ETHERNET_HEADER_LENGTH;
    const octets = end - l3;
    let l4: number;
    switch (read16(buffer, l2 + 12)) {
      case EtherType.IP4:
        l4 = l3 + IP4_HEADER_LENGTH;
        if (
          octets < IP4_HEADER_LENGTH + TCP_HEADER || buffer[l3] !== 0x45 ||
          buffer[l3 + 9] !== IpProtocol.TCP || read16(buffer, l3 + 2) !== octets ||
          (read16(buffer, l3 + 6) & ~Ip4Fragment.DONT) !== 0 ||
          ip4HeaderSum(buffer, l3) !== 0xffff
        ) return false;
        break;
      case EtherType.IP6:
        l4 = l3 + IP6_HEADER_LENGTH;
        if (
          octets < IP6_HEADER_LENGTH + TCP_HEADER || buffer[l3]! >>> 4 !== 6 ||
          buffer[l3 + 6] !== IpProtocol.TCP || read16(buffer, l3 + 4) !== end - l4
        ) return false;
        break;
      default:
        return false;
    }
    const payload = l4 + (buffer[l4 + 12]! >>> 4) * 4;
    if (payload < l4 + TCP_HEADER || payload >= end) return false;
    const flags = buffer[l4 + 13]! & ~(TcpFlag.PSH | TcpFlag.FIN | TcpFlag.ECE);
    if (flags !== TcpFlag.ACK || !isOffloadPlain(p, l4)) return false;
    this.#fromL4 = l4;
    this.#fromPayload = payload;
    return true;
  }

  /** Whether the segment at hand is the next of the held one's flow. */
  #follows({ buffer, l2 }: Packet): boolean {
    const held = this.#held;
    const [l4, heldL4] = [this.#fromL4, this.#l4];
    const length = this.#fromPayload - l4;
    if (length !== this.#payload - heldL4 || l4 - l2 !== heldL4 - held.l2) return false;
    if (buffer !== this.#fromBuffer) {
      this.#fromBuffer = buffer;
      this.#from = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
    }
    const [from, to] = [this.#from, this.#view];
    if (from.getInt32(l4 + 4) !== this.#nextSequence) return false;
    // Ports, acknowledgement, the header's length and flags with the window, urgent pointer, options.
    if (
      from.getInt32(l4) !== to.getInt32(heldL4) ||
      from.getInt32(l4 + 8) !== to.getInt32(heldL4 + 8) ||
      ((from.getInt32(l4 + 12) ^ to.getInt32(heldL4 + 12)) & ~ENDING_FLAGS) !== 0 ||
      from.getInt16(l4 + 18) !== to.getInt16(heldL4 + 18) ||
      !same(from, l4 + TCP_HEADER, to, heldL4 + TCP_HEADER, length - TCP_HEADER)
    ) return false;
    // Both MAC addresses.
    if (!same(from, l2, to, held.l2, 12)) return false;
    const [l3, heldL3] = [l2 + ETHERNET_HEADER_LENGTH, held.l3];
    if (l4 - l3 === IP6_HEADER_LENGTH) {
      return from.getInt32(l3) === to.getInt32(heldL3) &&
        from.getInt16(l3 + 6) === to.getInt16(heldL3 + 6) &&
        same(from, l3 + 8, to, heldL3 + 8, 32);
    }
    return from.getInt16(l3) === to.getInt16(heldL3) &&
      same(from, l3 + 6, to, heldL3 + 6, 4) && same(from, l3 + 12, to, heldL3 + 12, 8) &&
      this.#idFollows(buffer, l3);
  }

  /**
   * Identifications count up, or stay the same where nothing reads them (RFC 6864, 4.1): what may
   * not be fragmented.
   */
  #idFollows(buffer: Uint8Array, l3: number): boolean {
    const first = read16(this.#buffer.bytes, this.#held.l3 + 4);
    const distance = (read16(buffer, l3 + 4) - first) & 0xffff;
    if (this.#idStep >= 0) return distance === this.#idStep * this.#count;
    const atomic = (read16(buffer, l3 + 6) & Ip4Fragment.DONT) !== 0;
    if (distance !== 1 && !(distance === 0 && atomic)) return false;
    this.#idStep = distance;
    return true;
  }

  /** Whether the checksum of the segment at hand is right; its payload is at `at` of the buffer. */
  #isIntact(p: Packet, at: number): boolean {
    if ((p.buffer[p.start + VnetOffset.FLAGS]! & VNET_NEEDS_CSUM) !== 0) return true;
    const [l4, payload] = [this.#fromL4, this.#fromPayload];
    const header = onesSum(p.buffer, l4, payload - l4, pseudoSum(p, l4, p.end - l4));
    return this.#buffer.sum(at, p.end - payload, header) === 0xffff;
  }

  /** Makes a segmentation frame of what is held. */
  #finish(held: Packet): void {
    const { buffer, start, l2, l3, end } = held;
    const l4 = this.#l4;
    const is6 = l4 - l3 === IP6_HEADER_LENGTH;
    if (is6) {
      write16(buffer, l3 + 4, end - l4);
    } else {
      write16(buffer, l3 + 2, end - l3);
      writeIp4Checksum(buffer, l3);
    }
    write16(buffer, l4 + TCP_CHECKSUM, onesSum(buffer, 0, 0, pseudoSum(held, l4, end - l4)));
    buffer[start + VnetOffset.FLAGS] = VNET_NEEDS_CSUM;
    buffer[start + VnetOffset.GSO_TYPE] = is6 ? VnetGso.TCPV6 : VnetGso.TCPV4;
    writeLe16(buffer, start + VnetOffset.HDR_LEN, this.#payload - l2);
    writeLe16(buffer, start + VnetOffset.GSO_SIZE, this.#size);
    writeLe16(buffer, start + VnetOffset.CSUM_START, l4 - l2);
    writeLe16(buffer, start + VnetOffset.CSUM_OFFSET, TCP_CHECKSUM);
  }
}

/** Whether a frame has nothing left to do, or its own checksum only. */
function isOffloadPlain({ buffer, start, l2 }: Packet, l4: number): boolean {
  if (buffer[start + VnetOffset.GSO_TYPE] !== VnetGso.NONE) return false;
  if ((buffer[start + VnetOffset.FLAGS]! & VNET_NEEDS_CSUM) === 0) return true;
  return readLe16(buffer, start + VnetOffset.CSUM_START) === l4 - l2 &&
    readLe16(buffer, start + VnetOffset.CSUM_OFFSET) === TCP_CHECKSUM;
}

/** The sum of what TCP's checksum covers beside the segment (RFC 9293, 3.1; RFC 8200, 8.1). */
function pseudoSum({ buffer, l2 }: Packet, l4: number, length: number): number {
  const isIp4 = l4 - l2 === ETHERNET_HEADER_LENGTH + IP4_HEADER_LENGTH;
  const octets = isIp4 ? 8 : 32;
  return onesSum(buffer, l4 - octets, octets, IpProtocol.TCP + length);
}

/** @param length a multiple of 4 */
function same(a: DataView, from: number, b: DataView, at: number, length: number): boolean {
  for (let i = 0; i < length; i += 4) {
    if (a.getInt32(from + i) !== b.getInt32(at + i)) return false;
  }
  return true;
}
