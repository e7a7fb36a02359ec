import { IpAddress, IpPrefix } from "@contiv/net";

/**
 * Reads an address as Kubernetes' validation of old fields lets it be: blank padding, leading zeros
 * (decimal all the same), and IPv4 written as IPv6, which is IPv4.
 */
export function readAddress(text: string): IpAddress | undefined {
  const address = IpAddress.tryParse(text.trim().replace(/(?<=^|[.:])0+(?=\d+(\.|$))/g, ""));
  if (address?.family !== 6) return address;
  const { bytes } = address;
  const mapped = bytes[10] === 0xff && bytes[11] === 0xff && bytes.subarray(0, 10).every((b) => !b);
  return mapped ? IpAddress.from(bytes.subarray(12)) : address;
}

/** Reads a prefix in the same spirit, and clears its host bits. */
export function readPrefix(text: string): IpPrefix | undefined {
  const [head = "", tail = "", ...more] = text.trim().split("/");
  const address = readAddress(head);
  if (address === undefined || more.length > 0 || !/^\d{1,3}$/.test(tail)) return undefined;
  const mappedBits = head.includes(":") && address.family === 4 ? 96 : 0;
  const length = Number(tail) - mappedBits;
  if (length < 0 || length > address.bytes.length * 8) return undefined;
  return IpPrefix.of(address, length).network();
}
