import { assertEquals } from "@contiv/assert";
import { Calls, RequestCall } from "./_calls.ts";
import { Schema } from "./schema.ts";

Deno.test("contexts that still wait are not given away when the counter wraps", () => {
  const settled: number[] = [];
  const calls = new Calls((call) => settled.push(call.context), 0xfffffffe);
  const reply = Schema.builtin().message("control_ping_reply");
  const errors: unknown[] = [];
  const start = (context: number): RequestCall => {
    const call = new RequestCall("x", 1000, reply, false, () => {}, (error) => errors.push(error));
    call.context = context;
    calls.add(call);
    return call;
  };
  const first = start(0);
  assertEquals([calls.nextContext(), calls.nextContext()], [0xffffffff, 1]);
  calls.settle(first);
  calls.settle(first);
  assertEquals([settled, calls.size], [[0], 0]);
  start(7);
  calls.failAll(() => "gone");
  assertEquals([settled, errors, calls.size], [[0, 7], ["gone"], 0]);
});
