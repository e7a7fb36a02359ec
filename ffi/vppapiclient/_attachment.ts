import { VppConnectionError } from "@contiv/vppapi";
import { bounded } from "./_bounded.ts";
import { cString } from "./_c_string.ts";
import { ConnectionSlot } from "./_connection_slot.ts";
import type { VacSymbols } from "./library.ts";
import { VAC_CALLBACK } from "./symbols.ts";

/** Takes a message from VPP: `length` octets that are the library's until this returns. */
export type MessageHandler = (message: Deno.PointerObject, length: number) => void;

/** Messages from VPP that may wait for us. */
const RECEIVE_QUEUE = 4_096;
/** The library waits 5 s for its thread and 2 s for VPP before it gives up. */
const DISCONNECT_MS = 8_000;
/** The library keeps the pointer to the prefix. */
const PREFIXES = new Map<string, Uint8Array<ArrayBuffer>>();

/**
 * The library's connection to VPP, from `vac_connect` to `vac_disconnect`. Both may wait for long
 * and run on other threads; messages come from a thread of the library's, which waits while this
 * thread handles them.
 */
export class Attachment {
  /** Takes the messages; until it is set they are dropped. */
  onMessage: MessageHandler | undefined;
  readonly #vac: VacSymbols;
  readonly #release: () => void;
  readonly #callback: Deno.UnsafeCallback<typeof VAC_CALLBACK>;

  private constructor(vac: VacSymbols, release: () => void) {
    this.#vac = vac;
    this.#release = release;
    this.#callback = Deno.UnsafeCallback.threadSafe(VAC_CALLBACK, (message, length) => {
      if (message !== null) this.onMessage?.(message, length);
    });
  }

  /**
   * Attaches to VPP's segment.
   *
   * @param name under which VPP lists the client
   * @param prefix of the segment's name, or ""
   * @throws {VppConnectionError} if VPP does not answer in time, or the process has a connection
   */
  static async make(
    vac: VacSymbols,
    name: string,
    prefix: string,
    timeoutMs: number,
  ): Promise<Attachment> {
    const deadline = performance.now() + timeoutMs;
    const names = [cString(name), pinned(prefix)] as const;
    const release = await ConnectionSlot.take(timeoutMs);
    if (release === undefined) {
      throw refused("timeout", "the process has a connection, or one that ends", "none");
    }
    const attachment = new Attachment(vac, release);
    const connecting = vac.vac_connect(...names, attachment.#callback.pointer, RECEIVE_QUEUE);
    const result = await bounded(connecting, deadline - performance.now());
    if (result.done && result.value === 0) return attachment;
    void attachment.#abandon(connecting);
    throw result.done
      ? refused("refused", `vac_connect returned ${result.value}`, "0")
      : refused("timeout", `no answer within ${timeoutMs} ms`, "one");
  }

  /**
   * Detaches. Resolves when no thread of the library is left, or when it hangs in a lock that VPP
   * held when it died: then the process cannot use the library again.
   */
  async end(): Promise<void> {
    const gone = this.#vac.vac_disconnect().then(() => this.#ended());
    const { done } = await bounded(gone, DISCONNECT_MS);
    if (!done) this.#callback.unref();
  }

  /** Waits for a `vac_connect` that nobody wants any more: up to 100 s. */
  async #abandon(connecting: Promise<number>): Promise<void> {
    this.#callback.unref();
    if (await connecting === 0) await this.#vac.vac_disconnect();
    this.#ended();
  }

  #ended(): void {
    this.#callback.close();
    this.#release();
  }
}

function pinned(prefix: string): Uint8Array<ArrayBuffer> | null {
  if (prefix === "") return null;
  const bytes = PREFIXES.get(prefix) ?? cString(prefix);
  PREFIXES.set(prefix, bytes);
  return bytes;
}

/** Why there is no connection over shared memory. */
export function refused(
  code: "refused" | "timeout",
  why: string,
  wanted: string,
  cause?: unknown,
): VppConnectionError {
  return new VppConnectionError(
    "connect",
    code,
    `Cannot connect to VPP over shared memory: ${why}, ${wanted} wanted`,
    { cause },
  );
}
