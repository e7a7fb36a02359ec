import type { RequestHandlers } from "../handler.ts";

/** Requests of vlibmemory/memclnt.api that need no connection of their own. */
export const memclntRequests = {
  control_ping: (_message, { pid }, client) => ({
    retval: 0,
    client_index: client.index,
    vpe_pid: pid,
  }),

  /** VPP lists no module here either. */
  api_versions: () => ({ retval: 0, api_versions: [] }),
} satisfies RequestHandlers;
