const encoder = new TextEncoder();

/** A string as C takes it: UTF-8 with a closing zero. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) {
    throw new TypeError(
      `Cannot pass ${JSON.stringify(text)} to C: it holds a zero, a string without one wanted`,
    );
  }
  return encoder.encode(`${text}\0`);
}
