import type { MessageLayout } from "./layout.ts";
import type { MessageTableEntry } from "./messages.ts";
import type { Schema } from "./schema.ts";
import { HELLO_ID, HELLO_REPLY_ID } from "./_ids.ts";

/** Why a message cannot be exchanged with a VPP. */
export type MessageMismatch = "absent" | "layout";

/** What numbers one VPP gives to the messages it knows; a message is known by name and CRC. */
export class MessageTable {
  /** Number and `<name>_<crc>`, cut at 63 bytes: as received or, for a server, in ascending order. */
  readonly entries: readonly MessageTableEntry[];
  readonly #ids = new Map<string, number>();
  #names: Set<string> | undefined;

  constructor(entries: readonly MessageTableEntry[]) {
    this.entries = entries;
    for (const { index, name } of entries) this.#ids.set(name, index);
  }

  /**
   * Table of a server: the hello and its reply have the numbers that VPP gives them, the other
   * messages follow in the order given.
   */
  static of(schema: Schema, names: Iterable<string> = schema.names()): MessageTable {
    const fixed = new Map([["sockclnt_create", HELLO_ID], [
      "sockclnt_create_reply",
      HELLO_REPLY_ID,
    ]]);
    let next = HELLO_REPLY_ID + 1;
    const entries = Array.from(names, (name) => ({
      index: fixed.get(name) ?? next++,
      name: schema.message(name).key,
    }));
    return new MessageTable(entries.sort((a, b) => a.index - b.index));
  }

  /** Number of a message, or undefined if VPP does not know it with this layout. */
  idOf(message: MessageLayout): number | undefined {
    return this.#ids.get(message.key);
  }

  /** Why {@linkcode idOf} has no number for a message. */
  mismatch(message: MessageLayout): MessageMismatch | undefined {
    if (this.#ids.has(message.key)) return undefined;
    this.#names ??= new Set(this.entries.map(({ name }) => name.replace(/_[0-9a-f]{1,8}$/, "")));
    return this.#names.has(message.name) ? "layout" : "absent";
  }
}
