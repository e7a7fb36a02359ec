import type { MessageLayout } from "./layout.ts";
import type { MessageTable } from "./message_table.ts";
import type { Schema } from "./schema.ts";
import { VppSchemaError } from "./error.ts";

/** What is needed to send a message and to know its answer. */
export interface Exchange {
  readonly request: MessageLayout;
  readonly id: number;
  readonly reply: MessageLayout;
}

/**
 * Messages that a connection uses, each resolved when first used: a request with its number and
 * its reply, and what may arrive by number.
 */
export class Exchanges {
  readonly #schema: Schema;
  readonly #table: MessageTable;
  readonly #byName = new Map<string, Exchange>();
  readonly #arriving: (MessageLayout | undefined)[] = [];

  constructor(schema: Schema, table: MessageTable) {
    this.#schema = schema;
    this.#table = table;
  }

  /**
   * Makes ready to send a request and to receive its reply.
   *
   * @throws {VppSchemaError} if VPP lacks one of them or has it with another layout
   */
  of(name: string): Exchange {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const request = this.#schema.message(name);
    const id = this.idOf(request);
    const exchange = { request, id, reply: this.expect(request.reply ?? name) };
    this.#byName.set(name, exchange);
    return exchange;
  }

  /**
   * Makes ready to receive a message.
   *
   * @throws {VppSchemaError} if VPP lacks it or has it with another layout
   */
  expect(name: string): MessageLayout {
    const layout = this.#schema.message(name);
    this.#arriving[this.idOf(layout)] = layout;
    return layout;
  }

  /** Message of this number, if somebody may be waiting for it. */
  arriving(id: number): MessageLayout | undefined {
    return this.#arriving[id];
  }

  /**
   * Number of a message.
   *
   * @throws {VppSchemaError} if VPP lacks it or has it with another layout
   */
  idOf(message: MessageLayout): number {
    const id = this.#table.idOf(message);
    if (id !== undefined) return id;
    const { name, key } = message;
    throw new VppSchemaError(
      this.#table.mismatch(message) === "layout"
        ? `Cannot use ${name}: VPP has ${name} with another layout, ${key} wanted`
        : `Cannot use ${name}: VPP does not have it (is its plugin loaded?), ${key} wanted`,
    );
  }
}
