import { assertEquals } from "@contiv/assert";
import { Outbound } from "./outbound.ts";

const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

Deno.test("what was given and has not left waits", () => {
  const connection = { bytesWritten: 500 };
  const outbound = Outbound.of(connection);
  assertEquals(Outbound.of(connection), outbound);
  outbound.add(1_000);
  assertEquals([outbound.exceeds(1_013), outbound.exceeds(1_014)], [true, false]);
  connection.bytesWritten += 400;
  assertEquals([outbound.exceeds(613), outbound.exceeds(614)], [true, false]);
  // Other replies' heads have left too; they give no credit for later.
  connection.bytesWritten += 5_000;
  assertEquals(outbound.exceeds(0), false);
  outbound.add(100);
  assertEquals(outbound.exceeds(100), true);
});

Deno.test("who waits for room is called once when there is", async () => {
  const connection = { bytesWritten: 0 };
  const outbound = Outbound.of(connection);
  const calls: string[] = [];
  const forgotten = (): void => void calls.push("forgotten");
  outbound.add(10_000);
  outbound.whenBelow(5_000, () => calls.push("half"));
  outbound.whenBelow(0, () => calls.push("all"));
  outbound.whenBelow(5_000, forgotten);
  outbound.forget(forgotten);
  await later();
  assertEquals(calls, []);
  connection.bytesWritten = 6_000;
  await later();
  assertEquals(calls, ["half"]);
  connection.bytesWritten = 20_000;
  await later();
  assertEquals(calls, ["half", "all"]);
});
