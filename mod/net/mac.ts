import { AddressError } from "./error.ts";

/** An immutable IEEE 802 MAC address. */
export class MacAddress {
  /** 6 octets. Not to be written to. */
  readonly bytes: Uint8Array;

  private constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /**
   * Reads six pairs of hexadecimal digits joined by colons.
   * @throws {AddressError}
   */
  static parse(text: string): MacAddress {
    if (!/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(text)) {
      throw new AddressError("MAC address", text, "six pairs of hexadecimal digits");
    }
    return new MacAddress(Uint8Array.from(text.split(":"), (pair) => parseInt(pair, 16)));
  }

  /**
   * The address with these 6 octets, which are copied.
   * @throws {AddressError}
   */
  static from(bytes: Uint8Array): MacAddress {
    if (bytes.length !== 6) throw new AddressError("MAC address", bytes.join(","), "6 octets");
    return new MacAddress(bytes.slice());
  }

  /**
   * A unicast, locally administered address derived from a name, the same for the same name in
   * every process. Two names collide with the odds of a 46-bit hash.
   */
  static fromIdentity(identity: string): MacAddress {
    // FNV-1a, 64 bits (RFC 9923): short, well mixed once folded, and no promise to await.
    let hash = 0xcbf29ce484222325n;
    for (const byte of new TextEncoder().encode(identity)) {
      hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
    }
    hash ^= hash >> 29n;
    const bytes = new Uint8Array(6);
    for (let i = 0; i < 6; i++) bytes[i] = Number(hash >> BigInt(8 * i) & 0xffn);
    // IEEE 802, 8.2: the two low bits of the first octet mean "locally administered" and "group".
    bytes[0] = ((bytes[0] ?? 0) & 0xfc) | 0x02;
    return new MacAddress(bytes);
  }

  equals(other: MacAddress): boolean {
    return this.bytes.every((byte, i) => byte === other.bytes[i]);
  }

  toString(): string {
    return Array.from(this.bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":");
  }

  toJSON(): string {
    return this.toString();
  }
}
