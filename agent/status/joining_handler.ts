export interface JoiningHandlerOptions {
  readonly nodeName: string;
  /** When the agent started; milliseconds since the epoch. */
  readonly startedAt: number;
  /** What the agent waits for. */
  readonly waitingFor: () => string;
}

/** Answers while the node is no member of its cluster yet: what it waits for, and that it lives. */
export function joiningHandler(
  { nodeName, startedAt, waitingFor }: JoiningHandlerOptions,
): (request: Request) => Response {
  return (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/healthz") return new Response("ok\n");
    const unavailable = `the cluster is not joined yet: ${waitingFor()}`;
    if (pathname !== "/status") return new Response(`${unavailable}\n`, { status: 503 });
    return Response.json({
      nodeName,
      pid: Deno.pid,
      startedAt: new Date(startedAt).toISOString(),
      ready: false,
      unavailable,
    });
  };
}
