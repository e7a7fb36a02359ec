import { CniError, CniErrorCode } from "@contiv/cni-spec/cni_error.ts";

/**
 * All of standard input.
 * @param maxBytes how many octets are taken
 * @param timeoutMs how long to wait for its end
 * @throws {CniError} IO_FAILURE
 */
export async function readInput(
  stdin: ReadableStream<Uint8Array>,
  maxBytes: number,
  timeoutMs: number,
): Promise<Uint8Array> {
  const reader = stdin.getReader();
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), timeoutMs);
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    while (true) {
      const chunk = await Promise.race([reader.read(), late.promise]);
      if (chunk === "late") throw failure(`no end within ${timeoutMs} ms, wanted one`);
      if (chunk.done) break;
      parts.push(chunk.value);
      length += chunk.value.length;
      if (length > maxBytes) throw failure(`more than ${maxBytes} octets, wanted fewer`);
    }
  } catch (error) {
    // Not awaited: a source that hangs may hang in its cancel too.
    reader.cancel().catch(() => {});
    if (error instanceof CniError) throw error;
    throw failure(error instanceof Error ? error.message : String(error), error);
  } finally {
    clearTimeout(timer);
  }
  const [first, second] = parts;
  if (first && !second) return first;
  const input = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    input.set(part, offset);
    offset += part.length;
  }
  return input;
}

function failure(what: string, cause?: unknown): CniError {
  return new CniError(
    CniErrorCode.IO_FAILURE,
    `Cannot read the network configuration from standard input: ${what}`,
    undefined,
    cause === undefined ? undefined : { cause },
  );
}
