import {
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLMSG_DONE,
  NLMSGERR_ATTR_MSG,
  NLMSGERR_ATTR_OFFS,
} from "../constants/rtnetlink.ts";
import { nlmsghdr } from "../constants/structs.ts";
import { align, AttributeCursor } from "./attribute.ts";
import { malformed } from "./error.ts";
import { fixedPart, type NetlinkMessage } from "./message.ts";

/** How a request ended: NLMSG_ERROR, or the NLMSG_DONE of a dump. */
export interface Outcome {
  /** 0 for success, else a positive error number. */
  readonly errno: number;
  /** The kernel's own sentence. */
  readonly message?: string;
  /** Where in the request the offending attribute begins, in octets. */
  readonly offset?: number;
}

/**
 * Reads an NLMSG_ERROR or NLMSG_DONE message with its extended acknowledgement (NETLINK_EXT_ACK).
 * @throws {NetlinkError} EBADMSG
 */
export function decodeOutcome(answer: NetlinkMessage): Outcome {
  const { type, flags, payload } = answer;
  // Before Linux 4.20 some dumps end with no code at all.
  if (type === NLMSG_DONE && payload.length < 4) return { errno: 0 };
  const view = fixedPart(payload, 4, "netlink acknowledgement");
  const errno = -view.getInt32(0, true);
  if (errno < 0 || errno > 4095) {
    throw malformed("netlink acknowledgement", `error number ${errno}`);
  }
  if ((flags & NLM_F_ACK_TLVS) === 0) return { errno };
  let start = 4;
  if (type !== NLMSG_DONE) {
    // The request's header follows, and its body too unless the answer was capped.
    const header = fixedPart(payload, 4 + nlmsghdr.size, "netlink acknowledgement");
    const capped = (flags & NLM_F_CAPPED) !== 0;
    start += capped ? nlmsghdr.size : align(header.getUint32(4 + nlmsghdr.nlmsg_len, true));
  }
  const outcome: { errno: number; message?: string; offset?: number } = { errno };
  for (const cursor = new AttributeCursor(payload, start); cursor.next();) {
    if (cursor.type === NLMSGERR_ATTR_MSG) outcome.message = cursor.text();
    else if (cursor.type === NLMSGERR_ATTR_OFFS) outcome.offset = cursor.u32();
  }
  return outcome;
}
