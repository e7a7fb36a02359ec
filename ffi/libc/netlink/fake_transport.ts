import { EAGAIN } from "../constants/errno.ts";
import {
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLM_F_MULTI,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSGERR_ATTR_MSG,
  NLMSGERR_ATTR_OFFS,
} from "../constants/rtnetlink.ts";
import { nlmsghdr } from "../constants/structs.ts";
import { LibcError } from "../error.ts";
import { NetlinkRequest } from "./request.ts";
import type { NetlinkTransport } from "./transport.ts";

/** A request as the fake received it. */
export interface RecordedRequest {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** What follows the header. */
  readonly payload: Uint8Array;
}

/** What the fake does when it is asked: deliver datagrams, or fail with an error number. */
export type FakeAnswer = readonly (Uint8Array | { readonly errno: number })[];

/**
 * A scripted kernel for tests. Each request takes the next step of the script, a function of the
 * request that tells what the receive calls after it will find. When nothing is left to receive,
 * receiving times out.
 */
export class FakeNetlinkTransport implements NetlinkTransport {
  /** All requests so far. */
  readonly history: RecordedRequest[] = [];
  closed = false;
  readonly #script: ((request: RecordedRequest) => FakeAnswer)[];
  readonly #pending: (Uint8Array | { readonly errno: number })[] = [];
  #sendError: number | undefined;

  constructor(...script: ((request: RecordedRequest) => FakeAnswer)[]) {
    this.#script = script;
  }

  /** Makes the next send fail. */
  failNextSend(errno: number): void {
    this.#sendError = errno;
  }

  send(message: Uint8Array<ArrayBuffer>): void {
    if (this.#sendError !== undefined) {
      const errno = this.#sendError;
      this.#sendError = undefined;
      throw new LibcError("send netlink request", "send", errno);
    }
    const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
    const request = {
      type: view.getUint16(nlmsghdr.nlmsg_type, true),
      flags: view.getUint16(nlmsghdr.nlmsg_flags, true),
      sequence: view.getUint32(nlmsghdr.nlmsg_seq, true),
      payload: message.slice(nlmsghdr.size),
    };
    this.history.push(request);
    this.#pending.push(...this.#script.shift()?.(request) ?? []);
  }

  async sendAsync(message: Uint8Array<ArrayBuffer>): Promise<void> {
    this.send(message);
    await Promise.resolve();
  }

  receive(): Uint8Array {
    const next = this.#pending.shift() ?? { errno: EAGAIN };
    if (next instanceof Uint8Array) return next;
    throw new LibcError("receive netlink answer", "recv", next.errno);
  }

  close(): void {
    this.closed = true;
  }
}

/** A message of an answer. */
export function answerMessage(
  request: { readonly sequence: number },
  type: number,
  payload: Uint8Array,
  flags: number = NLM_F_MULTI,
): Uint8Array {
  const bytes = new Uint8Array(nlmsghdr.size + (payload.length + 3 & ~3));
  const view = new DataView(bytes.buffer);
  view.setUint32(nlmsghdr.nlmsg_len, nlmsghdr.size + payload.length, true);
  view.setUint16(nlmsghdr.nlmsg_type, type, true);
  view.setUint16(nlmsghdr.nlmsg_flags, flags, true);
  view.setUint32(nlmsghdr.nlmsg_seq, request.sequence, true);
  bytes.set(payload, nlmsghdr.size);
  return bytes;
}

/** The end of a dump. */
export function doneMessage(request: RecordedRequest, flags: number = NLM_F_MULTI): Uint8Array {
  return answerMessage(request, NLMSG_DONE, new Uint8Array(4), flags);
}

/** An acknowledgement, with the kernel's words where there are any. */
export function ackMessage(
  request: RecordedRequest,
  errno?: number,
  words?: { readonly message: string; readonly offset: number },
): Uint8Array {
  const extended = new NetlinkRequest(0, 0, 4 + nlmsghdr.size).setU32(0, -(errno ?? 0));
  if (words !== undefined) {
    extended.text(NLMSGERR_ATTR_MSG, words.message).u32(NLMSGERR_ATTR_OFFS, words.offset);
  }
  const flags = NLM_F_CAPPED | (words === undefined ? 0 : NLM_F_ACK_TLVS);
  const payload = extended.encode(0).subarray(nlmsghdr.size);
  return answerMessage(request, NLMSG_ERROR, payload, flags);
}

/** Several messages in one datagram. */
export function datagram(...messages: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(messages.flatMap((message) => [...message]));
}
