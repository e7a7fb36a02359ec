import { EINVAL } from "./constants/errno.ts";
import { LibcError } from "./error.ts";

const encoder = new TextEncoder();

/**
 * The text as UTF-8 with the final NUL that C expects.
 * @throws {LibcError} EINVAL if the text itself holds a NUL
 */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) {
    throw new LibcError("pass to C a text with a NUL character", "open", EINVAL, text);
  }
  return encoder.encode(`${text}\0`);
}
