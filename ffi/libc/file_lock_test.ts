import { assert, assertEquals, assertThrows } from "@contiv/assert";
import { withLibc } from "./_testing.ts";
import { LibcError } from "./error.ts";
import { FileLock } from "./file_lock.ts";

Deno.test("one at a time has the lock, and the others learn who", () =>
  withLibc((libc) => {
    const folder = Deno.makeTempDirSync({ prefix: "contiv-lock-" });
    try {
      const path = `${folder}/agent.lock`;
      const first = FileLock.tryLock(libc, path, "a rather long description of pid 17");
      assert(first.acquired);
      const second = FileLock.tryLock(libc, path, "pid 18");
      assertEquals(second, { acquired: false, holder: "a rather long description of pid 17" });
      first.lock.close();
      first.lock.close();

      const third = FileLock.tryLock(libc, path, "pid 19");
      assert(third.acquired);
      const fourth = FileLock.tryLock(libc, path, "pid 20");
      assertEquals(fourth, { acquired: false, holder: "pid 19" });
      third.lock.close();
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  }));

Deno.test("a lock file that cannot be made is an error", () =>
  withLibc((libc) => {
    const path = "/proc/no/such/folder/lock";
    const error = assertThrows(() => FileLock.tryLock(libc, path, "me"), LibcError);
    assertEquals([error.code, error.subject], ["ENOENT", path]);
  }));
