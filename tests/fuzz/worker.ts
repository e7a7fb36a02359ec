/** Fuzzes one target in a thread of its own, so that one that hangs can be told and ended. */
import { fuzz } from "./fuzz.ts";
import { findTarget } from "./targets.ts";

/** What the thread is told. */
export interface FuzzTask {
  readonly target: string;
  readonly seed: number;
  readonly inputs: number;
  readonly at: Int32Array;
}

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<FuzzTask>) => void) | null;
  postMessage(message: unknown): void;
  gc?: () => void;
};

scope.onmessage = async ({ data }) => {
  try {
    const { gc } = scope;
    const options = { ...data, ...gc !== undefined && { gc } };
    scope.postMessage({ report: await fuzz(findTarget(data.target), options) });
  } catch (error) {
    scope.postMessage({ error: error instanceof Error ? error.message : String(error) });
  }
};
