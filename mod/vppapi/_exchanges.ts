import type { MessageLayout } from "./layout.ts";
import type { LayoutChoice } from "./layout_choice.ts";

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
  readonly #layouts: LayoutChoice;
  readonly #byName = new Map<string, Exchange>();
  readonly #arriving: (MessageLayout | undefined)[] = [];

  constructor(layouts: LayoutChoice) {
    this.#layouts = layouts;
  }

  /**
   * Makes ready to send a request and to receive its reply.
   *
   * @throws {VppSchemaError} if VPP lacks one of them or has it with another layout
   */
  of(name: string): Exchange {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const { layout: request, id } = this.#layouts.of(name);
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
    const { layout, id } = this.#layouts.of(name);
    this.#arriving[id] = layout;
    return layout;
  }

  /** Message of this number, if somebody may be waiting for it. */
  arriving(id: number): MessageLayout | undefined {
    return this.#arriving[id];
  }
}
