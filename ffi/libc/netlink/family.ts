import type { Family } from "@contiv/net";
import { IpAddress } from "@contiv/net";
import { AF_INET, AF_INET6, AF_UNSPEC } from "../constants/socket.ts";
import type { AttributeCursor } from "./attribute.ts";
import { malformed } from "./error.ts";

/** The kernel's number of an address family; AF_UNSPEC for none. */
export function toAddressFamily(family: Family | undefined): number {
  if (family === undefined) return AF_UNSPEC;
  return family === 4 ? AF_INET : AF_INET6;
}

/** The IP family of a kernel's number, or `undefined` for any other family. */
export function fromAddressFamily(number: number): Family | undefined {
  if (number === AF_INET) return 4;
  return number === AF_INET6 ? 6 : undefined;
}

/** An attribute's value as an IP address. @throws {NetlinkError} EBADMSG */
export function readIp(cursor: AttributeCursor): IpAddress {
  const bytes = cursor.bytes();
  if (bytes.length !== 4 && bytes.length !== 16) {
    throw malformed(`address in attribute ${cursor.type}`, `${bytes.length} octets`);
  }
  return IpAddress.from(bytes);
}
