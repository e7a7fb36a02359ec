import { assertEquals } from "@contiv/assert";
import { Outbound } from "./outbound.ts";

const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

Deno.test("what was given and has not left waits", () => {
  const connection = { bytesWritten: 500 };
  const outbound = Outbound.of(connection);
  assertEquals(Outbound.of(connection), outbound);
  outbound.add(995);
  assertEquals([outbound.exceeds(999), outbound.exceeds(1_000)], [true, false]);
  connection.bytesWritten += 400;
  assertEquals([outbound.exceeds(599), outbound.exceeds(600)], [true, false]);
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

Deno.test("a connection that went while its watches waited for room ended the store", async () => {
  let gone = false;
  const outbound = Outbound.of({
    get bytesWritten(): number {
      if (gone) throw new Error("The socket has been disconnected from the Http2Session");
      return 0;
    },
  });
  let called = false;
  outbound.add(10_000);
  outbound.whenBelow(5_000, () => called = true);
  gone = true;
  await later();
  assertEquals([called, outbound.exceeds(0)], [true, false]);
});

Deno.test("what a stream had waiting goes with it, and no more", () => {
  const connection = { bytesWritten: 0 };
  const outbound = Outbound.of(connection);
  const [stuck, other, sent] = [outbound.share(), outbound.share(), outbound.share()];
  sent.add(4_995);
  connection.bytesWritten += 5_000;
  assertEquals(outbound.exceeds(0), false);
  stuck.add(1_995);
  other.add(995);
  sent.drop();
  assertEquals([outbound.exceeds(2_999), outbound.exceeds(3_000)], [true, false]);
  stuck.drop();
  stuck.drop();
  assertEquals([outbound.exceeds(999), outbound.exceeds(1_000)], [true, false]);
});
