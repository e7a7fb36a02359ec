import {
  type DumpName,
  type EventName,
  type MessageLayout,
  type MessageName,
  MessageTable,
  type MessageTableEntry,
  type RequestName,
  type Schema,
} from "@contiv/vppapi";
import type { DumpHandler, DumpHandlers, RequestHandler, RequestHandlers } from "./handler.ts";

/** How a message number is served. */
export type Service =
  | {
    readonly kind: "request";
    readonly name: RequestName;
    readonly reply: MessageLayout;
    readonly replyId: number;
    readonly handle: RequestHandler<RequestName>;
  }
  | {
    readonly kind: "dump";
    readonly name: DumpName;
    readonly reply: MessageLayout;
    readonly replyId: number;
    readonly handle: DumpHandler<DumpName>;
  };

/**
 * The numbers that VPP 26.06 gives to its first messages, which are the same in every VPP of that
 * version (VPP: vlibmemory/memclnt.api). The others follow from 100 on, in no particular order:
 * clients learn them in the hello.
 */
const FIXED_IDS: ReadonlyMap<string, number> = new Map([
  ["api_versions", 12],
  ["api_versions_reply", 13],
  ["sockclnt_create", 15],
  ["sockclnt_create_reply", 16],
  ["sockclnt_delete", 17],
  ["sockclnt_delete_reply", 18],
  ["memclnt_keepalive", 21],
  ["memclnt_keepalive_reply", 22],
  ["control_ping", 23],
  ["control_ping_reply", 24],
]);

const FIRST_FREE_ID = 100;

/** Which messages are served, under which numbers and by whom. */
export class Registry {
  /** For the reply to the hello. */
  readonly table: MessageTable;
  readonly schema: Schema;
  readonly #services = new Map<number, Service>();
  readonly #ids = new Map<string, number>();

  /**
   * @param connection messages between the connection itself and its client
   * @param events messages that are sent unasked
   * @throws {VppSchemaError} if the schema lacks a served message
   */
  constructor(
    schema: Schema,
    requests: RequestHandlers,
    dumps: DumpHandlers,
    connection: readonly MessageName[],
    events: readonly EventName[],
  ) {
    this.schema = schema;
    let next = FIRST_FREE_ID;
    const entries: MessageTableEntry[] = [];
    const number = (layout: MessageLayout): number => {
      const known = this.#ids.get(layout.name);
      if (known !== undefined) return known;
      const index = FIXED_IDS.get(layout.name) ?? next++;
      this.#ids.set(layout.name, index);
      entries.push({ index, name: layout.key });
      return index;
    };
    const pair = (name: string): { id: number; reply: MessageLayout; replyId: number } => {
      const layout = schema.message(name);
      const reply = schema.message(layout.reply ?? name);
      return { id: number(layout), reply, replyId: number(reply) };
    };
    for (const name of connection) number(schema.message(name));
    for (const [name, handle] of Object.entries(requests)) {
      const { id, ...answer } = pair(name);
      const service = { kind: "request", name: name as RequestName, handle, ...answer };
      this.#services.set(id, service as unknown as Service);
    }
    for (const [name, handle] of Object.entries(dumps)) {
      const { id, ...answer } = pair(name);
      const service = { kind: "dump", name: name as DumpName, handle, ...answer };
      this.#services.set(id, service as unknown as Service);
    }
    for (const name of events) number(schema.message(name));
    this.table = new MessageTable(entries.sort((a, b) => a.index - b.index));
  }

  /** What serves a message number, or undefined where VPP has no handler either. */
  service(id: number): Service | undefined {
    return this.#services.get(id);
  }

  /** The number of a served message, its reply or an event. */
  idOf(name: string): number {
    const id = this.#ids.get(name);
    if (id === undefined) throw new TypeError(`Cannot number message ${name}: it is not served`);
    return id;
  }
}
