import { Schema } from "@contiv/vppapi";
import type { Logger } from "@contiv/log";
import type { ApiHost } from "./handler.ts";
import { DUMPS, REQUESTS } from "./handlers/mod.ts";
import { Registry } from "./registry.ts";
import { type Channel, Session } from "./session.ts";
import { Turns } from "./turns.ts";

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

/** Clients served at once. */
const MAX_CLIENTS = 1_024;

/**
 * VPP's binary API on byte streams: hands each client to a {@link Session}. When there are too many,
 * the oldest that never said hello makes room; where all have, the new one is turned away.
 */
export class ApiServer {
  readonly registry: Registry;
  readonly #host: ApiHost;
  readonly #logger: Logger;
  readonly #turns = new Turns(() => performance.now());
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

  /** Serves a client until it leaves, or is turned away at once. */
  async serve(channel: Channel): Promise<void> {
    if (this.#sessions.size >= this.#maxClients && !this.#makeRoom()) {
      this.#logger.warn("API client turned away", { clients: this.#sessions.size });
      channel.close();
      return;
    }
    const number = this.#nextIndex;
    this.#nextIndex = number % 0x7fffffff + 1;
    const index = (SOCKET_CLIENT | number) >>> 0;
    const { registry } = this;
    const turns = this.#turns;
    const session = new Session({ channel, registry, host: this.#host, index, turns });
    const ended = session.run();
    this.#sessions.set(number, { session, ended });
    await ended;
    this.#sessions.delete(number);
  }

  #makeRoom(): boolean {
    for (const [number, { session }] of this.#sessions) {
      if (session.greeted) continue;
      session.close();
      this.#sessions.delete(number);
      return true;
    }
    return false;
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
