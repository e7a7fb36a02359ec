import { assertEquals, assertMatch } from "@contiv/assert";
import { withLibc } from "./_testing.ts";
import { processStart } from "./process_start.ts";

Deno.test("a living process has one start, and one that has ended has none", () =>
  withLibc(async (libc) => {
    const child = new Deno.Command("/bin/sleep", { args: ["60"] }).spawn();
    const start = processStart(libc, child.pid);
    try {
      assertMatch(start ?? "", /^[0-9]+$/);
      assertEquals(processStart(libc, child.pid), start);
    } finally {
      child.kill("SIGKILL");
      await child.status;
    }
    assertEquals(processStart(libc, child.pid), undefined);
  }));
