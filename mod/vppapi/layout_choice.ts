import type { MessageLayout } from "./layout.ts";
import type { MessageMismatch, MessageTable } from "./message_table.ts";
import type { Schema } from "./schema.ts";
import { adaptMessage } from "./_adapt.ts";
import { VppSchemaError } from "./error.ts";

/** A message as the VPP of a connection has it. */
export interface ChosenLayout {
  readonly layout: MessageLayout;
  /** Number of the message on the connection. */
  readonly id: number;
}

/**
 * Chooses, for each message, the layout that the VPP of a connection has: the first among the
 * sources whose name and CRC are in VPP's table. What no source describes as VPP has it is not
 * used at all, so that nothing is ever sent or read by a wrong layout.
 */
export class LayoutChoice {
  readonly #wanted: Schema;
  readonly #table: MessageTable;
  readonly #sources: readonly Schema[];
  readonly #chosen = new Map<string, ChosenLayout>();

  /**
   * @param wanted the messages that the program is written for
   * @param sources where layouts are looked for, in this order
   */
  constructor(wanted: Schema, table: MessageTable, sources: readonly Schema[]) {
    this.#wanted = wanted;
    this.#table = table;
    this.#sources = sources;
  }

  /**
   * The layout and number of a message.
   *
   * @throws {VppSchemaError} if VPP lacks the message or has it with a layout that is not known or
   * cannot carry what this program wants to say
   */
  of(name: string): ChosenLayout {
    const known = this.#chosen.get(name);
    if (known !== undefined) return known;
    const chosen = this.#choose(name);
    this.#chosen.set(name, chosen);
    return chosen;
  }

  /** Why a message cannot be used. */
  mismatch(name: string): MessageMismatch | undefined {
    try {
      this.of(name);
      return undefined;
    } catch (error) {
      if (!(error instanceof VppSchemaError)) throw error;
      return this.#table.mismatch(this.#wanted.message(name)) ?? "layout";
    }
  }

  #choose(name: string): ChosenLayout {
    const wanted = this.#wanted.message(name);
    for (const source of this.#sources) {
      const actual = source.find(name);
      const id = actual === undefined ? undefined : this.#table.idOf(actual);
      if (actual === undefined || id === undefined) continue;
      return { layout: adaptMessage(actual, wanted, `VPP ${source.version}`), id };
    }
    throw new VppSchemaError(
      this.#table.mismatch(wanted) === "layout"
        ? `Cannot use ${name}: VPP has ${name} with another layout, ${wanted.key} wanted`
        : `Cannot use ${name}: VPP does not have it (is its plugin loaded?), ${wanted.key} wanted`,
    );
  }
}
