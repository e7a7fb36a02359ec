import {
  EtherType,
  internetChecksum,
  IP4_HEADER_LENGTH,
  IP6_HEADER_LENGTH,
  IpAddress,
  IpProtocol,
  parseEthernet,
  pseudoHeaderSum,
  VNET_HEADER_LENGTH,
  VNET_NEEDS_CSUM,
  VnetGso,
} from "@contiv/net";

const ETHERNET = 14;

/**
 * The frames that a frame with a virtio-net header becomes on a wire, as virtio 1.3, 5.1.6.2 says: cut
 * where that is left to do, with whole checksums. For tests: written apart from what it examines.
 */
export function onWire(bytes: Uint8Array): Uint8Array[] {
  const header = new DataView(bytes.buffer, bytes.byteOffset, VNET_HEADER_LENGTH);
  const frame = bytes.slice(VNET_HEADER_LENGTH);
  const partial = (header.getUint8(0) & VNET_NEEDS_CSUM) !== 0;
  const [start, offset] = [header.getUint16(6, true), header.getUint16(8, true)];
  const type = header.getUint8(1) & ~VnetGso.ECN;
  if (type === VnetGso.NONE) return [partial ? summed(frame, start, offset) : frame];
  if (!partial) throw new Error("Cannot cut a frame: its checksum is not partial");
  const isTcp = type === VnetGso.TCPV4 || type === VnetGso.TCPV6;
  const headers = start + (isTcp ? (frame[start + 12]! >>> 4) * 4 : 8);
  const size = header.getUint16(4, true);
  if (header.getUint16(2, true) !== headers || size === 0 || frame.length <= headers + size) {
    throw new Error(
      `Cannot cut a frame of ${frame.length} octets: headers ${headers}, size ${size}`,
    );
  }
  if (frame.length - ETHERNET > 0xffff + (isIp6(frame) ? IP6_HEADER_LENGTH : 0)) {
    throw new Error(`Cannot cut a frame: ${frame.length} octets are no IP packet`);
  }
  const frames: Uint8Array[] = [];
  for (let at = headers; at < frame.length; at += size) {
    const payload = frame.subarray(at, at + size);
    const cut = new Uint8Array([...frame.subarray(0, headers), ...payload]);
    const view = new DataView(cut.buffer);
    const length = cut.length - start;
    if (isIp6(frame)) {
      view.setUint16(ETHERNET + 4, length);
    } else {
      view.setUint16(ETHERNET + 2, cut.length - ETHERNET);
      view.setUint16(ETHERNET + 4, view.getUint16(ETHERNET + 4) + frames.length);
      view.setUint16(ETHERNET + 10, 0);
      view.setUint16(ETHERNET + 10, internetChecksum(cut, ETHERNET, IP4_HEADER_LENGTH));
    }
    if (isTcp) {
      view.setUint32(start + 4, view.getUint32(start + 4) + at - headers);
      if (at + size < frame.length) cut[start + 13]! &= ~0x09;
      if (at > headers) cut[start + 13]! &= ~0x80;
    } else {
      view.setUint16(start + 4, length);
    }
    const protocol = isTcp ? IpProtocol.TCP : IpProtocol.UDP;
    const [source, destination] = addresses(frame);
    const seed = pseudoHeaderSum(source, destination, protocol, length);
    view.setUint16(start + offset, 0);
    const sum = internetChecksum(cut, start, length, seed);
    view.setUint16(start + offset, sum || 0xffff);
    frames.push(cut);
  }
  return frames;
}

function summed(frame: Uint8Array, start: number, offset: number): Uint8Array {
  const sum = internetChecksum(frame, start, frame.length - start);
  new DataView(frame.buffer).setUint16(start + offset, sum || 0xffff);
  return frame;
}

function isIp6(frame: Uint8Array): boolean {
  return parseEthernet(frame)?.etherType === EtherType.IP6;
}

function addresses(frame: Uint8Array): readonly [IpAddress, IpAddress] {
  const [at, length] = isIp6(frame) ? [ETHERNET + 8, 16] : [ETHERNET + 12, 4];
  const part = (from: number): IpAddress => IpAddress.from(frame.slice(from, from + length));
  return [part(at), part(at + length)];
}
