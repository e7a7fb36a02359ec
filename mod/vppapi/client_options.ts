import type { MessageMismatch } from "./message_table.ts";
import type { Schema } from "./schema.ts";

/** Told what an event's callback threw. */
export type CallbackErrorHandler = (error: unknown, event: string) => void;

/** How to make a client over a transport. */
export interface ClientOptions {
  /** Name under which VPP lists the client, at most 63 bytes. */
  readonly name: string;
  /** Limit for the handshake and, unless a call says otherwise, for every call. @default 5000 */
  readonly timeoutMs?: number | undefined;
  /** Gives up connecting. */
  readonly signal?: AbortSignal | undefined;
  /** Messages that the program is written for. @default Schema.builtin() */
  readonly schema?: Schema | undefined;
  /** How VPP itself describes its messages: rules where VPP has them so. @default none */
  readonly described?: Schema | undefined;
  /** Further layouts that VPP may have, preferred first. @default those of all known releases */
  readonly releases?: readonly Schema[] | undefined;
  /** Requests that may be written and not yet answered; later ones wait. @default 4096 */
  readonly window?: number | undefined;
  /** Bytes of requests that may wait to be written; later ones are refused. @default 64 MiB */
  readonly queuedBytes?: number | undefined;
  /** Told what an event's callback threw. @default reportError */
  readonly onCallbackError?: CallbackErrorHandler | undefined;
}

/** How to connect to a socket. */
export interface ConnectOptions extends ClientOptions {
  /** Path of VPP's API socket. */
  readonly path: string;
}

/** Limits of one call. */
export interface CallOptions {
  /**
   * Time to wait for the reply, or for each further entry of a dump, in milliseconds, including
   * the time before the request is written.
   *
   * @default the client's
   */
  readonly timeoutMs?: number | undefined;
  /** Stops waiting; what was sent is not taken back and may take effect. */
  readonly signal?: AbortSignal | undefined;
}

/** A message that this VPP cannot exchange with the client. */
export interface Mismatch {
  readonly name: string;
  readonly reason: MessageMismatch;
}

/** Counters since the connection was made. */
export interface ClientStats {
  readonly sent: number;
  readonly writes: number;
  readonly received: number;
  /** Calls that wait for an answer. */
  readonly waiting: number;
  /** Answers to calls that nobody waits for any more, or that nobody made. */
  readonly unknownContexts: number;
  /** Messages that nobody asked for. */
  readonly unknownMessages: number;
}
