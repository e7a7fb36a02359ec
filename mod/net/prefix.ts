import { AddressError } from "./error.ts";
import { type Family, IpAddress } from "./ip.ts";

const WANTED = "an address, a slash and a length within the family's bits";

/** An immutable address with a prefix length. Host bits are kept until {@link network}. */
export class IpPrefix {
  readonly address: IpAddress;
  /** Leading bits of the network: 0 to 32, or 0 to 128. */
  readonly length: number;

  private constructor(address: IpAddress, length: number) {
    this.address = address;
    this.length = length;
  }

  /**
   * @throws {AddressError} if the length is not a whole number within the family's bits
   */
  static of(address: IpAddress, length: number): IpPrefix {
    if (!Number.isInteger(length) || length < 0 || length > address.bytes.length * 8) {
      throw new AddressError("prefix", `${address}/${length}`, WANTED);
    }
    return new IpPrefix(address, length);
  }

  /** The prefix that holds only this address: /32 or /128. */
  static host(address: IpAddress): IpPrefix {
    return new IpPrefix(address, address.bytes.length * 8);
  }

  /**
   * Reads CIDR notation such as `10.1.0.0/16` or `fd00::/64`.
   * @throws {AddressError}
   */
  static parse(text: string): IpPrefix {
    const [head = "", tail = "", ...more] = text.split("/");
    const address = IpAddress.tryParse(head);
    const length = /^(0|[1-9][0-9]{0,2})$/.test(tail) ? Number(tail) : -1;
    if (!address || more.length > 0 || length < 0 || length > address.bytes.length * 8) {
      throw new AddressError("prefix", text, WANTED);
    }
    return new IpPrefix(address, length);
  }

  get family(): Family {
    return this.address.family;
  }

  /** Bits of an address of this family: 32 or 128. */
  get bits(): number {
    return this.family === 4 ? 32 : 128;
  }

  /** The same prefix with its host bits cleared. */
  network(): IpPrefix {
    const { address: { family, value }, bits, length } = this;
    if (typeof value === "number") {
      const kept = length === 0 ? 0n : BigInt((value & (-1 << (bits - length))) >>> 0);
      return new IpPrefix(IpAddress.fromBigInt(family, kept), length);
    }
    const host = BigInt(bits - length);
    return new IpPrefix(IpAddress.fromBigInt(family, value >> host << host), length);
  }

  /** How many addresses it spans. */
  get size(): bigint {
    return 1n << BigInt(this.bits - this.length);
  }

  get first(): IpAddress {
    return this.network().address;
  }

  get last(): IpAddress {
    return this.first.add(this.size - 1n);
  }

  /** Whether an address, or all of another prefix, lies within. */
  contains(other: IpAddress | IpPrefix): boolean {
    const [address, length] = other instanceof IpPrefix
      ? [other.address, other.length]
      : [other, other.family === 4 ? 32 : 128];
    if (address.family !== this.family || length < this.length) return false;
    const [a, b] = [address.value, this.address.value];
    if (typeof a === "number" || typeof b === "number") {
      return this.length === 0 || (Number(a) ^ Number(b)) >>> (32 - this.length) === 0;
    }
    return (a ^ b) >> BigInt(128 - this.length) === 0n;
  }

  /** Whether the two have an address in common. */
  overlaps(other: IpPrefix): boolean {
    return this.contains(other) || other.contains(this);
  }

  equals(other: IpPrefix): boolean {
    return this.length === other.length && this.address.equals(other.address);
  }

  toString(): string {
    return `${this.address}/${this.length}`;
  }

  toJSON(): string {
    return this.toString();
  }
}
