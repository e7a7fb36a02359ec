import { IpAddress } from "@contiv/net";
import { VppConnectionError } from "@contiv/vppapi";
import type { Agent } from "../controller/mod.ts";
import type { PodLinkMeta } from "../descriptors/vpp/mod.ts";
import { vppInterfaceKey } from "../items/mod.ts";
import type { SupervisorStatus } from "../vpp/mod.ts";
import type { EchoResult } from "./echo.ts";
import { armTrace, MAX_TRACED, readTrace } from "./packet_trace.ts";

export interface StatusHandlerOptions {
  readonly agent: Agent;
  readonly nodeName: string;
  /** When the agent started; milliseconds since the epoch. */
  readonly startedAt: number;
  /** How the VPP fares that the agent starts, if it does. */
  readonly vppProcess?: () => SupervisorStatus;
  /** Sends one echo request from a namespace, by its path. */
  readonly echo?: (netns: string, address: IpAddress, limitMs: number) => Promise<EchoResult>;
}

/** The namespace of the agent itself: the host's. */
const HOST_NETNS = "/proc/self/ns/net";
/** Milliseconds that an echo request's answer is waited for. */
const ECHO_LIMIT_MS = 1_000;

type Answer = Response | Promise<Response>;

/** Answers one request of the status interface; README.md lists the paths. */
export function statusHandler(options: StatusHandlerOptions): (request: Request) => Answer {
  const { agent } = options;
  const pages: Readonly<Record<string, (query: URLSearchParams) => Answer>> = {
    "GET /": () => json({ paths: Object.keys(pages) }),
    "GET /status": () => json(summary(options)),
    "GET /items": () => json(agent.reconciler.statuses()),
    "GET /attachments": () => json(agent.store.list()),
    "GET /ipam": () => json(addresses(agent)),
    "GET /network": () => json(agent.network.describe() ?? {}),
    "GET /history": () => json(agent.reconciler.history()),
    "GET /graph.dot": () =>
      new Response(agent.reconciler.toDot(), {
        headers: { "content-type": "text/vnd.graphviz; charset=utf-8" },
      }),
    "GET /healthz": () => new Response("ok\n"),
    "GET /readyz": () => {
      const reason = agent.unavailable;
      return reason === undefined
        ? new Response("ok\n")
        : new Response(`${reason}\n`, { status: 503 });
    },
    "POST /resync": () => {
      agent.requestResync("asked over HTTP");
      return new Response("resync requested\n", { status: 202 });
    },
    "POST /trace": (query) => startTrace(agent, query.get("packets")),
    "GET /trace": () => overVpp(async () => new Response(await readTrace(agent.vppClient()))),
    "POST /echo": (query) => sendEcho(options, query),
  };
  return (request) => {
    const { pathname, searchParams } = new URL(request.url);
    const method = request.method === "HEAD" ? "GET" : request.method;
    const key = `${method} ${pathname}`;
    const page = Object.hasOwn(pages, key) ? pages[key] : undefined;
    if (page !== undefined) return page(searchParams);
    const known = Object.keys(pages).some((each) => each.endsWith(` ${pathname}`));
    const text = known ? "wrong method\n" : `no such path, try ${Object.keys(pages).join(", ")}\n`;
    return new Response(text, { status: known ? 405 : 404 });
  };
}

/** Answers 503 while VPP is away. */
async function overVpp(work: () => Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof VppConnectionError)) throw error;
    return new Response(`${error.message}\n`, { status: 503 });
  }
}

function startTrace(agent: Agent, text: string | null): Answer {
  const packets = Number(text ?? "50");
  if (!Number.isInteger(packets) || packets < 1 || packets > MAX_TRACED) {
    return new Response(`packets is ${text}, 1 to ${MAX_TRACED} wanted\n`, { status: 400 });
  }
  return overVpp(async () => {
    await armTrace(agent.vppClient(), packets);
    return new Response(`the next ${packets} packets are traced\n`, { status: 202 });
  });
}

/** From the host, or from the namespace of an attachment, by its ID. */
async function sendEcho(
  { agent, echo }: StatusHandlerOptions,
  query: URLSearchParams,
): Promise<Response> {
  const [from, to] = [query.get("from") ?? "host", query.get("to") ?? ""];
  const address = IpAddress.tryParse(to);
  if (address === undefined) {
    return new Response(`to is ${JSON.stringify(to)}, an address wanted\n`, { status: 400 });
  }
  const netns = from === "host" ? HOST_NETNS : agent.store.get(from)?.netns.path;
  if (netns === undefined || echo === undefined) {
    return new Response(`no attachment ${from} is here\n`, { status: 404 });
  }
  return json(await echo(netns, address, ECHO_LIMIT_MS));
}

function summary({ agent, nodeName, startedAt, vppProcess }: StatusHandlerOptions): unknown {
  const items: Record<string, number> = {};
  for (const { state } of agent.reconciler.statuses()) items[state] = (items[state] ?? 0) + 1;
  const attachments: Record<string, number> = {};
  for (const { state } of agent.store.list()) attachments[state] = (attachments[state] ?? 0) + 1;
  return {
    nodeName,
    pid: Deno.pid,
    startedAt: new Date(startedAt).toISOString(),
    ready: agent.unavailable === undefined,
    unavailable: agent.unavailable,
    conflict: agent.network.conflict,
    vpp: agent.vppState,
    vppProcess: vppProcess?.(),
    attachments,
    links: links(agent),
    items,
    failed: agent.reconciler.failed(),
    queued: agent.queue.size,
    counters: { ...agent.reconciler.counters, attachmentsRead: agent.store.reads },
  };
}

/** How many containers are connected in which way: over a TAP, or over a veth where VPP has none. */
function links({ reconciler, store }: Agent): { readonly tap: number; readonly veth: number } {
  const count = { tap: 0, veth: 0 };
  for (const { id } of store.list()) {
    const meta = reconciler.meta(vppInterfaceKey(id)) as PodLinkMeta | undefined;
    if (meta !== undefined) count[meta.nodeDevice === undefined ? "tap" : "veth"]++;
  }
  return count;
}

function addresses(agent: Agent): unknown {
  return {
    prefixes: agent.ipam.layouts.map((layout) => ({
      prefix: layout.prefix,
      gateway: layout.gateway,
      serviceLoopback: layout.serviceLoopback,
      capacity: layout.capacity,
    })),
    used: agent.ipam.size,
    allocations: agent.ipam.list(),
  };
}

function json(value: unknown): Response {
  // Numbers of addresses may be larger than JSON's numbers are exact.
  const text = JSON.stringify(value, (_key, each) => typeof each === "bigint" ? `${each}` : each);
  return new Response(`${text}\n`, { headers: { "content-type": "application/json" } });
}
