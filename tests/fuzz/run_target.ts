import type { FuzzReport } from "./fuzz.ts";
import type { FuzzTask } from "./worker.ts";

/** Milliseconds that one input, or starting, may take: none takes more than a few. */
const HANG_MS = 60_000;
const LOOK_MS = 1_000;

/**
 * Fuzzes one target in a thread of its own.
 * @throws {Error} for what went wrong, also if it hangs
 */
export async function runTarget(task: Omit<FuzzTask, "at">): Promise<FuzzReport> {
  const at = new Int32Array(new SharedArrayBuffer(4));
  at[0] = -1;
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<FuzzReport>();
  let [last, since] = [-1, performance.now()];
  const watch = setInterval(() => {
    const now = Atomics.load(at, 0);
    if (now !== last) [last, since] = [now, performance.now()];
    else if (performance.now() - since > HANG_MS) {
      reject(new Error(`${task.target} hangs at input ${now} of seed ${task.seed}`));
    }
  }, LOOK_MS);
  worker.onmessage = (event: MessageEvent<{ report?: FuzzReport; error?: string }>): void => {
    const { report, error } = event.data;
    if (report !== undefined) resolve(report);
    else reject(new Error(error));
  };
  worker.onerror = (event): void => {
    event.preventDefault();
    reject(new Error(`${task.target} broke down at input ${at[0]}: ${event.message}`));
  };
  try {
    worker.postMessage({ ...task, at });
    return await promise;
  } finally {
    clearInterval(watch);
    worker.terminate();
  }
}
