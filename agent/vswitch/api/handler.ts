import type { DumpName, Dumps, Input, Messages, Replies, RequestName } from "@contiv/vppapi";
import type { Logger } from "@contiv/log";
import type { Dataplane } from "../core/mod.ts";
import type { Interfaces } from "../ports/interfaces.ts";
import type { EventHub, Subscriber } from "./event_hub.ts";

/** What handlers act upon: one virtual switch. */
export interface ApiHost {
  readonly dataplane: Dataplane;
  readonly interfaces: Interfaces;
  readonly events: EventHub;
  readonly logger: Logger;
  /** What `control_ping_reply` tells: a client takes a new number for a restart. */
  readonly pid: number;
  /** The monotonic clock that the data plane is given, in milliseconds. */
  now(): number;
}

/** The client that sent a message. */
export interface ApiClient extends Subscriber {
  /** `client_index` of its messages. */
  readonly index: number;
  /** As it called itself in the hello. */
  readonly name: string;
}

/** Answers a request. While a promise is pending, the client's next message waits. */
export type RequestHandler<N extends RequestName> = (
  message: Messages[N],
  host: ApiHost,
  client: ApiClient,
) => Input<Replies[N]> | Promise<Input<Replies[N]>>;

/** Answers a dump. Read lazily: other work may come between two details. */
export type DumpHandler<N extends DumpName> = (
  message: Messages[N],
  host: ApiHost,
  client: ApiClient,
) => Iterable<Input<Dumps[N]>>;

/** The requests that one of VPP's .api files serves, by message name. */
export type RequestHandlers = { readonly [N in RequestName]?: RequestHandler<N> };

/** The dumps that one of VPP's .api files serves, by message name. */
export type DumpHandlers = { readonly [N in DumpName]?: DumpHandler<N> };
