import { cString } from "./_c_string.ts";
import { statx } from "./constants/structs.ts";
import { AT_FDCWD, O_RDONLY, O_WRONLY, STATX_INO } from "./constants/system.ts";
import type { Libc } from "./libc.ts";

/** The most that is read: what the kernel says of itself, no data. */
const MAX_BYTES = 64 << 10;

/**
 * The text of one of the kernel's own files, below /proc or /sys. Deno itself opens those to nobody
 * but programs that may do everything.
 * @throws {LibcError} ENOENT if there is none
 */
export function readKernelFile(libc: Libc, path: string): string {
  const action = "read kernel file";
  const fd = libc.openFile(path, O_RDONLY, 0, action);
  try {
    const buffer = new Uint8Array(MAX_BYTES);
    let length = 0;
    while (length < MAX_BYTES) {
      const rest = buffer.subarray(length);
      const count = libc.check(
        libc.symbols.read(fd, rest, rest.length),
        action,
        "read",
        path,
      );
      if (count === 0) break;
      length += count;
    }
    return new TextDecoder().decode(buffer.subarray(0, length));
  } finally {
    libc.closeDescriptor(fd);
  }
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
