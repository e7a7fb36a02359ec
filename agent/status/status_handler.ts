import type { Agent } from "../controller/mod.ts";
import type { PodLinkMeta } from "../descriptors/vpp/mod.ts";
import { vppInterfaceKey } from "../items/mod.ts";
import type { SupervisorStatus } from "../vpp/mod.ts";

export interface StatusHandlerOptions {
  readonly agent: Agent;
  readonly nodeName: string;
  /** When the agent started; milliseconds since the epoch. */
  readonly startedAt: number;
  /** How the VPP fares that the agent starts, if it does. */
  readonly vppProcess?: () => SupervisorStatus;
}

/** Answers one request of the status interface; README.md lists the paths. */
export function statusHandler(options: StatusHandlerOptions): (request: Request) => Response {
  const { agent } = options;
  const pages: Readonly<Record<string, () => Response>> = {
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
  };
  return (request) => {
    const { pathname } = new URL(request.url);
    const method = request.method === "HEAD" ? "GET" : request.method;
    const key = `${method} ${pathname}`;
    const page = Object.hasOwn(pages, key) ? pages[key] : undefined;
    if (page !== undefined) return page();
    const known = Object.keys(pages).some((each) => each.endsWith(` ${pathname}`));
    const text = known ? "wrong method\n" : `no such path, try ${Object.keys(pages).join(", ")}\n`;
    return new Response(text, { status: known ? 405 : 404 });
  };
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
