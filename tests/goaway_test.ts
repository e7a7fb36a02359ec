/** What Deno is pinned for: newer releases than 2.9.3 die of it (docs/decisions). */
import { assert, assertEquals } from "@contiv/assert";
import { run } from "./support/run_command.ts";

const CLIENT = new URL("./support/goaway_client.ts", import.meta.url).pathname;
const GOAWAYS = 100;

Deno.test("a gRPC client survives a hundred GOAWAYs in a row", async () => {
  const { code, stdout, stderr } = await run(
    Deno.execPath(),
    ["run", "--allow-all", "--no-check", CLIENT, String(GOAWAYS)],
    { check: false, limitMs: 120_000 },
  );
  assertEquals(code, 0, stdout + stderr);
  const [, sent, answered] = /^(\d+) GOAWAYs, (\d+) calls answered, and one more$/m
    .exec(stdout) ?? [];
  assertEquals(Number(sent), GOAWAYS, stdout);
  // Half of the calls wait for no GOAWAY at all.
  assert(Number(answered) >= GOAWAYS * 50 / 2, stdout);
});
