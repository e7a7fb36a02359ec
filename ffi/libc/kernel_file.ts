import { cString } from "./_c_string.ts";
import { dirent, statx } from "./constants/structs.ts";
import { AT_FDCWD, O_RDONLY, O_WRONLY, STATX_INO } from "./constants/system.ts";
import { LibcError } from "./error.ts";
import type { Libc } from "./libc.ts";

/**
 * The most that is read: what the kernel says of itself, no data. A process with hundreds of
 * libraries has some 200 kB of maps, a machine with hundreds of CPUs as much to say of them.
 */
const MAX_BYTES = 4 << 20;
const CHUNK_BYTES = 64 << 10;
/** PATH_MAX (linux/limits.h) */
const MAX_PATH = 4096;

/**
 * The text of one of the kernel's own files, below /proc, /sys or /dev. Deno itself opens those to
 * nobody but programs that may do everything.
 * @throws {LibcError} ENOENT if there is none
 */
export function readKernelFile(libc: Libc, path: string): string {
  const action = "read kernel file";
  const fd = libc.openFile(path, O_RDONLY, 0, action);
  try {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const decoder = new TextDecoder();
    let text = "";
    for (let length = 0; length < MAX_BYTES;) {
      const count = libc.check(
        libc.symbols.read(fd, chunk, chunk.length),
        action,
        "read",
        path,
      );
      if (count === 0) break;
      text += decoder.decode(chunk.subarray(0, count), { stream: true });
      length += count;
    }
    return text + decoder.decode();
  } finally {
    libc.closeDescriptor(fd);
  }
}

/**
 * The names in one of the kernel's own directories, in no order, without `.` and `..`.
 * @throws {LibcError} ENOENT if there is none
 */
export function listKernelDirectory(libc: Libc, path: string): readonly string[] {
  const action = "list kernel directory";
  const directory = libc.symbols.opendir(cString(path));
  if (directory === null) throw new LibcError(action, "opendir", libc.errno(), path);
  const names: string[] = [];
  try {
    for (
      let entry = libc.symbols.readdir(directory);
      entry !== null;
      entry = libc.symbols.readdir(directory)
    ) {
      const name = Deno.UnsafePointerView.getCString(entry, dirent.d_name);
      if (name !== "." && name !== "..") names.push(name);
    }
  } finally {
    libc.symbols.closedir(directory);
  }
  return names;
}

/**
 * What a symbolic link among the kernel's own files says.
 * @throws {LibcError} ENOENT if there is none, EINVAL if it is no link
 */
export function readKernelLink(libc: Libc, path: string): string {
  const buffer = new Uint8Array(MAX_PATH);
  const result = libc.symbols.readlink(cString(path), buffer, BigInt(buffer.length));
  const length = libc.check(result, "read kernel link", "readlink", path);
  return new TextDecoder().decode(buffer.subarray(0, length));
}

/**
 * Writes a parameter of the kernel.
 * @throws {LibcError} ENOENT if there is no such parameter, EINVAL for a value that it refuses
 */
export function writeKernelFile(libc: Libc, path: string, text: string): void {
  const action = "write kernel file";
  const fd = libc.openFile(path, O_WRONLY, 0, action);
  try {
    const bytes = new TextEncoder().encode(text);
    libc.check(libc.symbols.write(fd, bytes, bytes.length), action, "write", path);
  } finally {
    libc.closeDescriptor(fd);
  }
}

/**
 * The inode that a path leads to, through symbolic links.
 * @throws {LibcError} ENOENT if there is nothing
 */
export function inodeOf(libc: Libc, path: string): bigint {
  const buffer = new BigUint64Array(statx.size / 8);
  const result = libc.symbols.statx(AT_FDCWD, cString(path), 0, STATX_INO, buffer);
  libc.check(result, "read inode of", "statx", path);
  return buffer[statx.stx_ino / 8] ?? 0n;
}
