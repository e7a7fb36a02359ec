import { runCommand } from "../../cli/mod.ts";
import type { RequestHandlers } from "../handler.ts";

/** Requests of vlibmemory/vlib.api. */
export const vlibRequests = {
  cli_inband: ({ cmd }, host) => {
    const { retval, output } = runCommand(cmd, host);
    return { retval, reply: output };
  },
} satisfies RequestHandlers;
