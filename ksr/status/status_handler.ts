import type { KsrStatus } from "./ksr_status.ts";

/** Answers a request of the status interface: `/status`, `/healthz`, `/readyz`. */
export function statusHandler(status: () => KsrStatus): (request: Request) => Response {
  const pages: Readonly<Record<string, () => Response>> = {
    "/": () => json({ paths: Object.keys(pages) }),
    "/status": () => json(status()),
    "/healthz": () => new Response("ok\n"),
    "/readyz": () => {
      const unread = status().kinds.filter(({ whole }) => !whole).map(({ kind }) => kind);
      if (unread.length === 0) return new Response("ok\n");
      return new Response(`not listed yet: ${unread.join(", ")}\n`, { status: 503 });
    },
  };
  return (request) => {
    const { pathname } = new URL(request.url);
    const page = Object.hasOwn(pages, pathname) ? pages[pathname] : undefined;
    if (page === undefined) {
      return new Response(`no such path, try ${Object.keys(pages).join(", ")}\n`, { status: 404 });
    }
    if (request.method === "GET" || request.method === "HEAD") return page();
    return new Response("wrong method\n", { status: 405 });
  };
}

function json(value: unknown): Response {
  return new Response(`${JSON.stringify(value)}\n`, {
    headers: { "content-type": "application/json" },
  });
}
