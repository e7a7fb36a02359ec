import { assertEquals, assertStringIncludes } from "@contiv/assert";
import { joiningHandler } from "./joining_handler.ts";

Deno.test("an agent whose store was away said nothing: it lives, and says what it waits for", async () => {
  let waitingFor = "the store is asked";
  const handle = joiningHandler({ nodeName: "n", startedAt: 0, waitingFor: () => waitingFor });
  const get = (path: string): Response => handle(new Request(`http://agent${path}`));
  assertEquals([get("/healthz").status, get("/readyz").status, get("/ipam").status], [
    200,
    503,
    503,
  ]);
  waitingFor = "Cannot read: no endpoint answers";
  assertStringIncludes(await get("/readyz").text(), waitingFor);
  const status = await get("/status").json();
  assertEquals([status.nodeName, status.ready], ["n", false]);
  assertStringIncludes(status.unavailable, waitingFor);
});
