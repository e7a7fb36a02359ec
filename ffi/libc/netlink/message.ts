import { nlmsghdr } from "../constants/structs.ts";
import { align } from "./attribute.ts";
import { malformed } from "./error.ts";

/** One message as received. */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  /** The number of the request that it answers. */
  readonly sequence: number;
  /** What follows the header, in place: valid for as long as the memory under it is. */
  readonly payload: Uint8Array;
}

/**
 * Splits what one receive call delivered into messages.
 * @throws {NetlinkError} EBADMSG if a length makes no sense
 */
export function decodeMessages(bytes: Uint8Array): NetlinkMessage[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: NetlinkMessage[] = [];
  for (let start = 0; start < bytes.length;) {
    if (start + nlmsghdr.size > bytes.length) {
      throw malformed("netlink messages", `${bytes.length - start} octets left over`);
    }
    const length = view.getUint32(start + nlmsghdr.nlmsg_len, true);
    if (length < nlmsghdr.size || start + length > bytes.length) {
      throw malformed("netlink messages", `length ${length} at octet ${start}`);
    }
    messages.push({
      type: view.getUint16(start + nlmsghdr.nlmsg_type, true),
      flags: view.getUint16(start + nlmsghdr.nlmsg_flags, true),
      sequence: view.getUint32(start + nlmsghdr.nlmsg_seq, true),
      payload: bytes.subarray(start + nlmsghdr.size, start + length),
    });
    start += align(length);
  }
  return messages;
}

/** The fixed structure at a message's start. @throws {NetlinkError} EBADMSG if it is cut off */
export function fixedPart(payload: Uint8Array, size: number, thing: string): DataView {
  if (payload.length >= size) {
    return new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  }
  throw malformed(thing, `${payload.length} octets, at least ${size} are wanted`);
}
