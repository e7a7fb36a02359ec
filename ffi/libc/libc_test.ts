import { assertEquals, assertThrows } from "@contiv/assert";
import { withLibc } from "./_testing.ts";
import { LibcError } from "./error.ts";
import { Libc } from "./libc.ts";

Deno.test("the real user ID is the one that Deno knows", () =>
  withLibc((libc) => {
    assertEquals(libc.getuid(), Deno.uid());
  }));

Deno.test("the file mode mask is set and the one before returned", () =>
  withLibc((libc) => {
    const before = libc.umask(0o077);
    assertEquals(libc.umask(before), 0o077);
  }));

Deno.test("the limit of open files can be lowered and raised again", () =>
  withLibc((libc) => {
    const before = libc.openFileLimit();
    libc.setOpenFileLimit({ soft: before.soft - 1n, hard: before.hard });
    assertEquals(libc.openFileLimit(), { soft: before.soft - 1n, hard: before.hard });
    libc.setOpenFileLimit(before);
    const impossible = { soft: before.hard + 1n, hard: before.hard };
    const error = assertThrows(() => libc.setOpenFileLimit(impossible), LibcError);
    assertEquals(error.code, "EINVAL");
  }));

Deno.test("a failed call says what, how and why", () =>
  withLibc((libc) => {
    const error = assertThrows(() => libc.fdatasync(-1), LibcError);
    assertEquals(error.message, "Cannot flush file: bad file descriptor (EBADF from fdatasync)");
    assertEquals([error.operation, error.errno, error.retryable], ["fdatasync", 9, false]);
  }));

Deno.test("closing twice is closing once", () => {
  const libc = Libc.open();
  libc.close();
  libc.close();
});

Deno.test("a process ends with all handles open, and with all of them closed", async (t) => {
  for (const mode of ["open", "closed"]) {
    await t.step(mode, async () => {
      const script = new URL("testdata/exit.ts", import.meta.url).pathname;
      const command = new Deno.Command(Deno.execPath(), {
        args: ["run", "--allow-all", script, mode],
        signal: AbortSignal.timeout(20_000),
      });
      const { code, stdout, stderr } = await command.output();
      const decoder = new TextDecoder();
      assertEquals(
        { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) },
        { code: 0, stdout: `done ${mode}\n`, stderr: "" },
      );
    });
  }
});

Deno.test("the limit of open files is raised as far as the hard one allows, and never lowered", () =>
  withLibc((libc) => {
    const before = libc.openFileLimit();
    try {
      libc.setOpenFileLimit({ soft: 500n, hard: before.hard });
      libc.raiseOpenFileLimit(400n);
      assertEquals(libc.openFileLimit().soft, 500n);
      libc.raiseOpenFileLimit(600n);
      assertEquals(libc.openFileLimit().soft, 600n);
      libc.raiseOpenFileLimit(before.hard + 1n);
      assertEquals(libc.openFileLimit(), { soft: before.hard, hard: before.hard });
    } finally {
      libc.setOpenFileLimit(before);
    }
  }));
