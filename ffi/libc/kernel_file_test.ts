import { assertEquals, assertThrows } from "@contiv/assert";
import { withLibc } from "./_testing.ts";
import { LibcError } from "./error.ts";
import { inodeOf, readKernelFile, writeKernelFile } from "./kernel_file.ts";

Deno.test("the kernel's files are read whole, and a missing one is an error", () =>
  withLibc((libc) => {
    for (const path of ["/proc/sys/kernel/random/boot_id", "/proc/version"]) {
      assertEquals(readKernelFile(libc, path), Deno.readTextFileSync(path));
    }
    const error = assertThrows(() => readKernelFile(libc, "/proc/sys/net/none"), LibcError);
    assertEquals([error.code, error.subject], ["ENOENT", "/proc/sys/net/none"]);
  }));

Deno.test("what is written is in the file, and a file that is not there is not made", () =>
  withLibc((libc) => {
    const folder = Deno.makeTempDirSync();
    try {
      Deno.writeTextFileSync(`${folder}/parameter`, "0");
      writeKernelFile(libc, `${folder}/parameter`, "1");
      assertEquals(Deno.readTextFileSync(`${folder}/parameter`), "1");
      const missing = (): void => writeKernelFile(libc, `${folder}/none`, "1");
      assertEquals(assertThrows(missing, LibcError).code, "ENOENT");
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  }));

Deno.test("the inode is that of what a link leads to", () =>
  withLibc((libc) => {
    assertEquals(inodeOf(libc, "/proc/self/ns/net"), inodeOf(libc, `/proc/${Deno.pid}/ns/net`));
    assertEquals(inodeOf(libc, "/"), BigInt(Deno.statSync("/").ino ?? 0));
    assertEquals(assertThrows(() => inodeOf(libc, "/none"), LibcError).code, "ENOENT");
  }));
