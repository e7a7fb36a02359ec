import { assertEquals } from "@contiv/assert";
import { afterPowerLoss, parseDiskTrace } from "./disk_trace.ts";

const TRACE = [
  String.raw`7 100.000100 pwrite64(3</t/a>, "\x61\x62\x63", 3, 0) = 3 <0.000010>`,
  String.raw`7 100.000200 fdatasync(3</t/a> <unfinished ...>`,
  String.raw`8 100.000250 pwrite64(4<\x2f\x74\x2f\x62>, "\x7a", 1, 2) = 1 <0.000010>`,
  String.raw`7 100.000300 <... fdatasync resumed>) = 0 <0.000100>`,
  String.raw`7 100.000400 pwrite64(3</t/a>, "\x64", 1, 1) = 1 <0.000010>`,
  String.raw`7 100.000500 ftruncate(3</t/a>, 2) = 0 <0.000010>`,
  String.raw`7 100.000600 fsync(3</t/a>) = -1 EIO (Input/output error) <0.000010>`,
  "8 +++ exited with 0 +++",
].join("\n");

Deno.test("strace's lines become writes and syncs, in the order of their ends", () => {
  assertEquals(
    parseDiskTrace(TRACE).map(({ type, path }) => `${type} ${path}`),
    ["write /t/a", "write /t/b", "sync /t/a", "write /t/a", "truncate /t/a"],
  );
});

Deno.test("a loss of power leaves what was synced, and any part of what was not", () => {
  const events = parseDiskTrace(TRACE);
  const text = (time: number, chance: number): string | undefined => {
    const octets = afterPowerLoss(events, time, () => chance).get("/t/a");
    return octets && new TextDecoder().decode(octets);
  };
  assertEquals(text(100.00025, 1), undefined);
  assertEquals(text(100.00025, 0), "abc");
  assertEquals(text(100.00035, 1), "abc");
  assertEquals(text(100.00045, 1), "abc");
  assertEquals(text(100.00045, 0), "adc");
  assertEquals(text(100.00055, 0), "ad");
});

Deno.test("a file that was removed may come back until its directory was synced", () => {
  const events = parseDiskTrace([
    String.raw`7 100.1 pwrite64(3</t/a>, "\x61", 1, 0) = 1 <0.000010>`,
    String.raw`7 100.2 fsync(3</t/a>) = 0 <0.000010>`,
    String.raw`7 100.3 unlink("\x2f\x74\x2f\x61") = 0 <0.000010>`,
    String.raw`7 100.4 fsync(4</t>) = 0 <0.000010>`,
  ].join("\n"));
  const exists = (time: number, chance: number): boolean =>
    afterPowerLoss(events, time, () => chance).has("/t/a");
  assertEquals([exists(100.35, 1), exists(100.35, 0), exists(100.45, 1)], [true, false, false]);
});
