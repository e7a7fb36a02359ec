import type { ByteSource } from "@contiv/cli";
import { CniError, CniErrorCode } from "@contiv/cni-spec/cni_error.ts";

/**
 * All of standard input.
 * @param maxBytes how many octets are taken
 * @param timeoutMs how long to wait for its end
 * @throws {CniError} IO_FAILURE
 */
export async function readInput(
  stdin: ByteSource,
  maxBytes: number,
  timeoutMs: number,
): Promise<Uint8Array> {
  // Not setTimeout: in Deno 2.9 its first use loads 5 ms worth of node:timers.
  const limit = AbortSignal.timeout(timeoutMs);
  const late = Promise.withResolvers<"late">();
  const onLate = (): void => late.resolve("late");
  limit.addEventListener("abort", onLate);
  let input = new Uint8Array(16 << 10);
  let length = 0;
  try {
    while (true) {
      const count = await Promise.race([stdin.read(input.subarray(length)), late.promise]);
      if (count === "late") throw failure(`no end within ${timeoutMs} ms, wanted one`);
      if (count === null) return input.subarray(0, length);
      length += count;
      if (length > maxBytes) throw failure(`more than ${maxBytes} octets, wanted fewer`);
      if (length === input.length) {
        const larger = new Uint8Array(2 * length);
        larger.set(input);
        input = larger;
      }
    }
  } catch (error) {
    if (error instanceof CniError) throw error;
    throw failure(error instanceof Error ? error.message : String(error), error);
  } finally {
    limit.removeEventListener("abort", onLate);
  }
}

function failure(what: string, cause?: unknown): CniError {
  return new CniError(
    CniErrorCode.IO_FAILURE,
    `Cannot read the network configuration from standard input: ${what}`,
    undefined,
    cause === undefined ? undefined : { cause },
  );
}
