import {
  EAGAIN,
  EBUSY,
  EINTR,
  EIO,
  ENOBUFS,
  ENODATA,
  EPROTO,
  ETIMEDOUT,
} from "../constants/errno.ts";
import {
  NLM_F_DUMP_INTR,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_NOOP,
  NLMSG_OVERRUN,
} from "../constants/rtnetlink.ts";
import { LibcError } from "../error.ts";
import { NetlinkError } from "./error.ts";
import { decodeOutcome, type Outcome } from "./ext_ack.ts";
import { decodeMessages, type NetlinkMessage } from "./message.ts";
import type { NetlinkRequest } from "./request.ts";
import type { NetlinkTransport } from "./transport.ts";

/** How often a listing is begun anew because what it lists has changed meanwhile. */
const MAX_DUMPS = 8;
/** How many answers to earlier, abandoned requests are skipped before giving up. */
const MAX_STRAY_MESSAGES = 65_536;

/** What is known of a request that another thread sends: its end, once somebody has received it. */
type Background = Outcome | undefined;

/**
 * Requests and answers over one transport: numbers requests, finds their answers, turns refusals
 * into {@link NetlinkError}. Its transport is closed with it.
 */
export class NetlinkClient {
  readonly #transport: NetlinkTransport;
  readonly #background = new Map<number, Background>();
  #sequence = 0;

  constructor(transport: NetlinkTransport) {
    this.#transport = transport;
  }

  /**
   * Makes a request that is only acknowledged.
   * @param operation what is attempted, for messages: see {@link NetlinkError}
   * @throws {NetlinkError}
   */
  execute(operation: string, request: NetlinkRequest): void {
    const sequence = this.#send(operation, request);
    this.#converse(operation, sequence, () => {});
  }

  /**
   * Like {@link execute}, with the kernel's work done on another thread. Other requests may be made
   * meanwhile.
   * @throws {NetlinkError}
   */
  async executeAsync(operation: string, request: NetlinkRequest): Promise<void> {
    const sequence = this.#nextSequence();
    this.#background.set(sequence, undefined);
    try {
      await this.#transport.sendAsync(request.encode(sequence));
      const received = this.#background.get(sequence);
      if (received === undefined) this.#converse(operation, sequence, () => {});
      else assertSuccess(operation, received);
    } catch (error) {
      throw asNetlinkError(operation, error);
    } finally {
      this.#background.delete(sequence);
    }
  }

  /**
   * Asks for one object. The request must ask for an acknowledgement too.
   * @param decode reads an answer in place
   * @throws {NetlinkError} also ENODATA if the kernel acknowledges but does not answer
   */
  query<T>(operation: string, request: NetlinkRequest, decode: (payload: Uint8Array) => T): T {
    const sequence = this.#send(operation, request);
    const found: T[] = [];
    this.#converse(operation, sequence, (message) => {
      found.push(decode(message.payload));
    });
    const [first] = found;
    if (first === undefined) throw new NetlinkError(operation, ENODATA);
    return first;
  }

  /**
   * Asks for a list, anew when it changed while it was read.
   * @param decode reads one entry in place; what it finds uninteresting is `undefined`
   * @throws {NetlinkError} EINTR if it kept changing
   */
  dump<T>(
    operation: string,
    request: NetlinkRequest,
    decode: (payload: Uint8Array) => T | undefined,
  ): T[] {
    for (let attempt = 0; attempt < MAX_DUMPS; attempt++) {
      const entries: T[] = [];
      let interrupted = false;
      try {
        const sequence = this.#send(operation, request);
        this.#converse(operation, sequence, (message) => {
          interrupted ||= (message.flags & NLM_F_DUMP_INTR) !== 0;
          const entry = decode(message.payload);
          if (entry !== undefined) entries.push(entry);
        });
      } catch (error) {
        // Answers were lost, or an abandoned listing is still being sent.
        const again = error instanceof NetlinkError &&
          (error.errno === ENOBUFS || error.errno === EBUSY || error.errno === EINTR);
        if (!again) throw error;
        interrupted = true;
      }
      if (!interrupted) return entries;
    }
    throw new NetlinkError(operation, EINTR, {
      message: `the list changed while it was read, ${MAX_DUMPS} times in a row`,
    });
  }

  /** Idempotent. */
  close(): void {
    this.#transport.close();
  }

  #nextSequence(): number {
    this.#sequence = this.#sequence === 0xffffffff ? 1 : this.#sequence + 1;
    return this.#sequence;
  }

  #send(operation: string, request: NetlinkRequest): number {
    const sequence = this.#nextSequence();
    try {
      this.#transport.send(request.encode(sequence));
    } catch (error) {
      throw asNetlinkError(operation, error);
    }
    return sequence;
  }

  /**
   * Receives until the request has ended. What a reader throws is kept until then, so that no
   * answer to this request is left for the next.
   */
  #converse(operation: string, sequence: number, onMessage: (m: NetlinkMessage) => void): void {
    let failure: { readonly error: unknown } | undefined;
    let strays = 0;
    for (;;) {
      for (const message of this.#receive(operation)) {
        if (message.sequence !== sequence) {
          this.#keepForBackground(message);
          if (++strays > MAX_STRAY_MESSAGES) {
            const text =
              `${strays} answers to other requests, one to request ${sequence} is wanted`;
            throw new NetlinkError(operation, EPROTO, { message: text });
          }
          continue;
        }
        switch (message.type) {
          case NLMSG_NOOP:
            break;
          case NLMSG_OVERRUN:
            throw new NetlinkError(operation, ENOBUFS);
          case NLMSG_DONE:
          case NLMSG_ERROR:
            if ((message.flags & NLM_F_DUMP_INTR) !== 0) {
              failure ??= { error: new NetlinkError(operation, EINTR) };
            }
            assertSuccess(operation, decodeOutcome(message));
            if (failure !== undefined) throw failure.error;
            return;
          default:
            try {
              onMessage(message);
            } catch (error) {
              failure ??= { error };
            }
        }
      }
    }
  }

  #receive(operation: string): NetlinkMessage[] {
    try {
      return decodeMessages(this.#transport.receive());
    } catch (error) {
      throw asNetlinkError(operation, error);
    }
  }

  #keepForBackground(message: NetlinkMessage): void {
    if (message.type !== NLMSG_ERROR || !this.#background.has(message.sequence)) return;
    this.#background.set(message.sequence, decodeOutcome(message));
  }
}

function assertSuccess(operation: string, outcome: Outcome): void {
  if (outcome.errno !== 0) throw new NetlinkError(operation, outcome.errno, outcome);
}

/** A transport's failure in terms of what was attempted. */
function asNetlinkError(operation: string, error: unknown): unknown {
  if (!(error instanceof LibcError)) return error;
  if (error.errno === EAGAIN) {
    const message = "the kernel did not answer in time";
    return new NetlinkError(operation, ETIMEDOUT, { message, cause: error });
  }
  const errno = error.errno === 0 ? EIO : error.errno;
  return new NetlinkError(operation, errno, { message: error.message, cause: error });
}
