import { assertEquals, assertThrows } from "@contiv/assert";
import { withLibc } from "./_testing.ts";
import { LibcError } from "./error.ts";
import {
  inodeOf,
  listKernelDirectory,
  readKernelFile,
  readKernelLink,
  writeKernelFile,
} from "./kernel_file.ts";

Deno.test("the kernel's files are read whole, and a missing one is an error", () =>
  withLibc((libc) => {
    for (const path of ["/proc/sys/kernel/random/boot_id", "/proc/version"]) {
      assertEquals(readKernelFile(libc, path), Deno.readTextFileSync(path));
    }
    const error = assertThrows(() => readKernelFile(libc, "/proc/sys/net/none"), LibcError);
    assertEquals([error.code, error.subject], ["ENOENT", "/proc/sys/net/none"]);
  }));

Deno.test("a file of many chunks is read whole, whatever its characters", () =>
  withLibc((libc) => {
    const path = Deno.makeTempFileSync();
    try {
      // Three octets each: chunks end within one.
      const text = "\u{20ac}".repeat(100_000);
      Deno.writeTextFileSync(path, text);
      assertEquals(readKernelFile(libc, path), text);
    } finally {
      Deno.removeSync(path);
    }
  }));

Deno.test("directories are listed and links are read as Deno does it", () =>
  withLibc((libc) => {
    const path = "/proc/self/ns";
    const names = [...Deno.readDirSync(path)].map(({ name }) => name);
    assertEquals(listKernelDirectory(libc, path).toSorted(), names.toSorted());
    assertEquals(readKernelLink(libc, `${path}/net`), Deno.readLinkSync(`${path}/net`));
    const absent = assertThrows(() => listKernelDirectory(libc, "/proc/none"), LibcError);
    assertEquals([absent.code, absent.subject], ["ENOENT", "/proc/none"]);
    assertEquals(assertThrows(() => readKernelLink(libc, "/proc"), LibcError).code, "EINVAL");
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
