import { Schema } from "@contiv/vppapi";
import type { Logger } from "@contiv/log";
import type { ApiHost } from "./handler.ts";
import { DUMPS, REQUESTS } from "./handlers/mod.ts";
import { Registry } from "./registry.ts";
import { type Channel, Session } from "./session.ts";

/** Bit that VPP sets in the index of a client on its socket. */
const SOCKET_CLIENT = 0x80000000;

/** What a session answers itself. */
const CONNECTION_MESSAGES = [
  "sockclnt_create",
  "sockclnt_create_reply",
  "sockclnt_delete",
  "sockclnt_delete_reply",
  "memclnt_keepalive",
  "memclnt_keepalive_reply",
] as const;

/** Clients served at once; more are turned away. */
const MAX_CLIENTS = 64;

/** VPP's binary API on byte streams: hands each client to a {@link Session}. */
export class ApiServer {
  readonly registry: Registry;
  readonly #host: ApiHost;
  readonly #logger: Logger;
  readonly #maxClients: number;
  readonly #sessions = new Map<number, { session: Session; ended: Promise<void> }>();
  #nextIndex = 1;

  constructor(host: ApiHost, maxClients: number = MAX_CLIENTS) {
    this.#host = host;
    this.#logger = host.logger;
    this.#maxClients = maxClients;
    this.registry = new Registry(
      Schema.builtin(),
      REQUESTS,
      DUMPS,
      CONNECTION_MESSAGES,
      ["sw_interface_event", "ip_neighbor_event_v2"],
    );
  }

  /** How many clients are connected. */
  get clients(): number {
    return this.#sessions.size;
  }

  /** Serves a client until it leaves. Turned away at once if there are too many. */
  async serve(channel: Channel): Promise<void> {
    if (this.#sessions.size >= this.#maxClients) {
      this.#logger.warn("API client turned away", { clients: this.#sessions.size });
      channel.close();
      return;
    }
    const number = this.#nextIndex;
    this.#nextIndex = number % 0x7fffffff + 1;
    const index = (SOCKET_CLIENT | number) >>> 0;
    const session = new Session({ channel, registry: this.registry, host: this.#host, index });
    const ended = session.run();
    this.#sessions.set(number, { session, ended });
    await ended;
    this.#sessions.delete(number);
  }

  /** Takes clients from a listener until it is closed. */
  async accept(listener: AsyncIterable<Channel>): Promise<void> {
    for await (const channel of listener) void this.serve(channel);
  }

  /** Ends every session. */
  async close(): Promise<void> {
    const open = [...this.#sessions.values()];
    for (const { session } of open) session.close();
    await Promise.all(open.map(({ ended }) => ended));
  }
}
