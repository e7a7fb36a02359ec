import { type Input, Retval } from "@contiv/vppapi";
import { NONE } from "../../core/mod.ts";
import type { DumpHandlers, RequestHandlers } from "../handler.ts";

/** VPP's `trace_filter_flag` (tracedump/tracedump.api). */
const TraceFilter = { NONE: 0, INCLUDE_NODE: 1, EXCLUDE_NODE: 2 } as const;

/** Records that one dump looks at: the trace keeps no more. */
const MAX_RECORDS = 1_000;

/** Requests of VPP's tracedump/tracedump.api. */
export const tracedumpRequests = {
  /** The trace here has no filter by node. */
  trace_set_filters: ({ flag }) => {
    if (flag === TraceFilter.NONE) return { retval: Retval.OK };
    const known = flag === TraceFilter.INCLUDE_NODE || flag === TraceFilter.EXCLUDE_NODE;
    return { retval: known ? Retval.UNIMPLEMENTED : Retval.INVALID_VALUE };
  },

  /** There is one input node here, whatever number a client gives it: every interface's. */
  trace_capture_packets: ({ max_packets, pre_capture_clear }, { dataplane }) => {
    if (pre_capture_clear) dataplane.clearTrace();
    dataplane.armTrace(max_packets);
    return { retval: Retval.OK };
  },

  trace_clear_capture: (_message, { dataplane }) => {
    dataplane.clearTrace();
    return { retval: Retval.OK };
  },
} satisfies RequestHandlers;

/** Dumps of VPP's tracedump/tracedump.api. */
export const tracedumpDumps = {
  *trace_v2_dump(
    { thread_id, position, max },
    { dataplane },
  ): Generator<Input<"trace_v2_details">> {
    if (thread_id !== 0 && thread_id !== NONE || position === NONE) return;
    const records = splitTrace(dataplane.showTrace(MAX_RECORDS));
    for (let at = position; at < records.length && at < position + max; at++) {
      yield {
        thread_id: 0,
        position: at,
        more: at < records.length - 1,
        trace_data: records[at] ?? "",
      };
    }
  },
} satisfies DumpHandlers;

/** Cuts the text of `show trace` into its packets. */
export function splitTrace(text: string): string[] {
  return text.split(/^Packet \d+\n+/m).slice(1).map((record) => record.trimEnd());
}
