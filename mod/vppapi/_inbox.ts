import type { Calls, Received } from "./_calls.ts";
import type { CallbackErrorHandler } from "./client_options.ts";
import type { Exchanges } from "./_exchanges.ts";
import type { MessageLayout } from "./layout.ts";
import { readU16, readU32 } from "./_integers.ts";
import { decodeMessage } from "./codec.ts";
import { VppSchemaError } from "./error.ts";

/** Shortest message that can be told apart: its number and a context or client index. */
const SHORTEST = 6;

/** Hands every message that arrives to the call that waits for it or to the event's callbacks. */
export class Inbox {
  /** Messages received. */
  received = 0;
  /** Answers to calls that nobody waits for any more, or that nobody made. */
  unknownContexts = 0;
  /** Messages that nobody asked for. */
  unknownMessages = 0;
  readonly #exchanges: Exchanges;
  readonly #calls: Calls;
  readonly #onKeepalive: (context: number) => void;
  readonly #onCallbackError: CallbackErrorHandler;
  readonly #listeners = new Map<string, Set<(fields: Received) => void>>();

  constructor(
    exchanges: Exchanges,
    calls: Calls,
    onKeepalive: (context: number) => void,
    onCallbackError: CallbackErrorHandler,
  ) {
    this.#exchanges = exchanges;
    this.#calls = calls;
    this.#onKeepalive = onKeepalive;
    this.#onCallbackError = onCallbackError;
  }

  /** Calls back for every event of a kind; returns what takes the callback back. */
  listen(event: string, callback: (fields: Received) => void): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    const listener = (fields: Received): void => callback(fields);
    listeners.add(listener);
    this.#listeners.set(event, listeners);
    return () => void listeners.delete(listener);
  }

  /** Takes the message `bytes[start..end)`. Never throws: a bad message fails its call only. */
  receive(bytes: Uint8Array, start: number, end: number): void {
    this.received++;
    const layout = end - start < SHORTEST
      ? undefined
      : this.#exchanges.arriving(readU16(bytes, start));
    if (layout === undefined || end - start < layout.headerSize) this.unknownMessages++;
    else if (layout.role === "event") this.#onEvent(layout, bytes, start, end);
    else if (layout.role === "reply") this.#onAnswer(layout, bytes, start, end);
    else this.#onKeepalive(readU32(bytes, start + layout.contextAt));
  }

  #onAnswer(layout: MessageLayout, bytes: Uint8Array, start: number, end: number): void {
    const call = this.#calls.get(readU32(bytes, start + layout.contextAt));
    if (call === undefined) {
      this.unknownContexts++;
      return;
    }
    try {
      if (!call.expects(layout)) {
        throw new VppSchemaError(
          `Cannot ${call.operation}: VPP answered ${layout.name}, another message wanted`,
        );
      }
      if (call.accept(layout, decodeMessage(layout, bytes, start, end))) this.#calls.settle(call);
      else this.#calls.touch(call);
    } catch (error) {
      this.#calls.fail(call, error);
    }
  }

  #onEvent(layout: MessageLayout, bytes: Uint8Array, start: number, end: number): void {
    const listeners = this.#listeners.get(layout.name);
    if (listeners === undefined) return;
    for (const listener of [...listeners]) {
      try {
        listener(decodeMessage(layout, bytes, start, end));
      } catch (error) {
        this.#onCallbackError(error, layout.name);
      }
    }
  }
}
