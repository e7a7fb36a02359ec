import {
  concatBytes,
  Ip4Fragment,
  ip4Packet,
  ip6Packet,
  IpProtocol,
  type ParsedIp,
  parseIp,
  parseTransport,
  udpDatagram,
} from "@contiv/net";

/** An IP packet of its addresses' family. */
export function packetOf(
  source: string,
  destination: string,
  protocol: number,
  payload: Uint8Array,
): Uint8Array {
  return source.includes(":")
    ? ip6Packet({ source, destination, nextHeader: protocol, payload })
    : ip4Packet({ source, destination, protocol, payload });
}

/** A UDP datagram as an IP packet, whose octets depend on their number alone. */
export function datagram(
  source: string,
  destination: string,
  [sourcePort, destinationPort]: readonly [number, number],
  length = 3000,
): Uint8Array {
  const ends = { source, destination };
  const payload = Uint8Array.from({ length }, (_, i) => i * 7 + length);
  const udp = udpDatagram({ ...ends, sourcePort, destinationPort, payload });
  return packetOf(source, destination, IpProtocol.UDP, udp);
}

/**
 * Cuts an IP packet as its sender would (RFC 791, 3.2; RFC 8200, 4.5).
 * @param sizes octets of payload of each fragment but the last: multiples of 8
 */
export function fragmentsOf(
  packet: Uint8Array,
  id: number,
  sizes: readonly number[],
): Uint8Array[] {
  const { source, destination, protocol, payload } = parseIp(packet)!;
  const ends = { source, destination };
  const fragments: Uint8Array[] = [];
  for (let at = 0; at < payload.length;) {
    const size = sizes[fragments.length] ?? payload.length - at;
    const part = payload.subarray(at, at + size);
    const more = at + size < payload.length;
    if (source.family === 4) {
      const fragment = (more ? Ip4Fragment.MORE : 0) | at >>> 3;
      fragments.push(ip4Packet({ ...ends, protocol, id, fragment, payload: part }));
    } else {
      const header = new Uint8Array(8);
      const view = new DataView(header.buffer);
      view.setUint8(0, protocol);
      view.setUint16(2, at | (more ? 1 : 0));
      view.setUint32(4, id);
      const payload = concatBytes(header, part);
      fragments.push(ip6Packet({ ...ends, nextHeader: IpProtocol.FRAGMENT, payload }));
    }
    at += size;
  }
  return fragments;
}

interface Part {
  readonly at: number;
  readonly octets: Uint8Array;
}

/** Puts packets together as their receiver would: in any order, without overlaps. */
export class Reassembler {
  readonly #parts = new Map<string, { total: number; parts: Part[] }>();

  /** @returns the whole packet, once it is whole; a packet that is no fragment at once */
  take(ip: ParsedIp): ParsedIp | undefined {
    const isSix = ip.protocol === IpProtocol.FRAGMENT;
    const { payload } = ip;
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    const word = isSix ? view.getUint16(2) : ip.fragment;
    const at = isSix ? word & 0xfff8 : (word & Ip4Fragment.OFFSET) * 8;
    const more = isSix ? (word & 1) !== 0 : (word & Ip4Fragment.MORE) !== 0;
    const id = isSix ? view.getUint32(4) : ip.id;
    const protocol = isSix ? payload[0]! : ip.protocol;
    const octets = isSix ? payload.subarray(8) : payload;
    if (at === 0 && !more) return { ...ip, protocol, payload: octets };
    const key = `${ip.source} ${ip.destination} ${isSix ? "" : protocol} ${id}`;
    const known = this.#parts.get(key) ?? { total: -1, parts: [] };
    this.#parts.set(key, known);
    if (
      known.parts.some((part) => at < part.at + part.octets.length && part.at < at + octets.length)
    ) {
      throw new RangeError(`Cannot put fragments of ${key} together: at ${at} they overlap`);
    }
    known.parts.push({ at, octets });
    if (!more) known.total = at + octets.length;
    if (known.parts.reduce((sum, part) => sum + part.octets.length, 0) !== known.total) {
      return undefined;
    }
    this.#parts.delete(key);
    const parts = known.parts.toSorted((a, b) => a.at - b.at).map((part) => part.octets);
    return { ...ip, protocol, fragment: 0, payload: concatBytes(...parts) };
  }

  /** Datagrams that are not whole yet. */
  get pending(): number {
    return this.#parts.size;
  }
}

/**
 * The ends of a whole datagram of {@link datagram}.
 * @throws {RangeError} if its checksums or its octets are not right
 */
export function endsOf(ip: ParsedIp): string {
  const transport = parseTransport(ip);
  const { length } = transport?.payload ?? new Uint8Array(0);
  const isSound = ip.checksumOk && transport?.checksumOk &&
    transport.payload.every((octet, i) => octet === (i * 7 + length & 0xff));
  if (!isSound) throw new RangeError(`Cannot take datagram of ${ip.source}: it was changed`);
  return `${ip.source}|${transport.sourcePort} ${ip.destination}|${transport.destinationPort}`;
}
