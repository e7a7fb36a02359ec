import { IP4_HEADER_LENGTH, IP6_HEADER_LENGTH, IpProtocol, onesSum, VnetOffset } from "@contiv/net";
import { read16, read32, readLe16, write16, write32, writeIp4Checksum } from "./bytes.ts";
import type { Packet } from "./packet.ts";

const ETHERNET = 14;
/** TCP flags that only the last segment carries: FIN and PSH; and only the first: CWR. */
const LAST_ONLY = 0x09;
const FIRST_ONLY = 0x80;

/**
 * Cuts a segmentation frame into the frames that it stands for (Linux: skb_segment). One object is
 * used over and over.
 */
export class Segmenter {
  /** How many frames it stands for. */
  count = 0;
  /** Octets of each frame's headers, Ethernet's to TCP's or UDP's. */
  headers = 0;
  /** Octets of payload of each frame but the last, which may have fewer. */
  size = 0;
  /** Where the transport header is in each frame, and in it the checksum. */
  transport = 0;
  checksum = 0;
  #from: Uint8Array = new Uint8Array(0);
  #start = 0;
  #end = 0;
  #is6 = false;
  #isTcp = false;
  #id = 0;
  #sequence = 0;
  #pseudoSum = 0;

  /**
   * Looks into a frame, which must stay as it is while it is cut.
   * @returns false if its headers are not those of a segmentation frame
   */
  begin(p: Packet): boolean {
    const { buffer, start, l2, end } = p;
    const l3 = l2 + ETHERNET;
    const version = buffer[l3]! >>> 4;
    const is6 = version === 6;
    const ipLength = is6 ? IP6_HEADER_LENGTH : (buffer[l3]! & 0xf) * 4;
    if (!is6 && (version !== 4 || ipLength < IP4_HEADER_LENGTH)) return false;
    const protocol = buffer[l3 + (is6 ? 6 : 9)]!;
    const l4 = l3 + ipLength;
    const isTcp = protocol === IpProtocol.TCP;
    if ((!isTcp && protocol !== IpProtocol.UDP) || l4 + 8 > end) return false;
    const payload = l4 + (isTcp ? (buffer[l4 + 12]! >>> 4) * 4 : 8);
    const size = readLe16(buffer, start + VnetOffset.GSO_SIZE);
    if (size === 0 || payload > end || isTcp && payload < l4 + 20) return false;
    this.count = Math.max(1, Math.ceil((end - payload) / size));
    this.headers = payload - l2;
    this.size = size;
    this.transport = l4 - l2;
    this.checksum = isTcp ? 16 : 6;
    this.#from = buffer;
    this.#start = l2;
    this.#end = end;
    this.#is6 = is6;
    this.#isTcp = isTcp;
    this.#id = is6 ? 0 : read16(buffer, l3 + 4);
    this.#sequence = isTcp ? read32(buffer, l4 + 4) : 0;
    this.#pseudoSum = is6
      ? onesSum(buffer, l3 + 8, 32, protocol)
      : onesSum(buffer, l3 + 12, 8, protocol);
    return true;
  }

  /**
   * Writes a frame to another buffer. Its transport checksum is partial: what is there is the sum
   * that whoever computes the rest begins with (RFC 9293, 3.1).
   * @param index from 0 on
   * @returns its octets
   */
  write(index: number, to: Uint8Array, at: number): number {
    const { headers, size, transport } = this;
    const from = this.#from;
    const payload = this.#start + headers + index * size;
    const length = Math.min(size, this.#end - payload);
    const isLast = index === this.count - 1;
    to.set(from.subarray(this.#start, this.#start + headers), at);
    to.set(from.subarray(payload, payload + length), at + headers);
    const l3 = at + ETHERNET;
    const l4 = at + transport;
    const l4Length = headers - transport + length;
    if (this.#is6) {
      write16(to, l3 + 4, l4Length);
    } else {
      const ipLength = transport - ETHERNET;
      write16(to, l3 + 2, ipLength + l4Length);
      write16(to, l3 + 4, (this.#id + index) & 0xffff);
      if (ipLength === IP4_HEADER_LENGTH) writeIp4Checksum(to, l3);
      else writeLongChecksum(to, l3, ipLength);
    }
    if (this.#isTcp) {
      write32(to, l4 + 4, (this.#sequence + index * size) | 0);
      if (!isLast) to[l4 + 13]! &= ~LAST_ONLY;
      if (index > 0) to[l4 + 13]! &= ~FIRST_ONLY;
    } else {
      write16(to, l4 + 4, l4Length);
    }
    write16(to, l4 + this.checksum, fold(this.#pseudoSum + l4Length));
    return headers + length;
  }
}

function writeLongChecksum(to: Uint8Array, at: number, length: number): void {
  write16(to, at + 10, 0);
  write16(to, at + 10, ~onesSum(to, at, length) & 0xffff);
}

function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}
