import type { Descriptor, DescriptorContext, Item, Retrieved } from "./api.ts";
import type { Descriptors } from "./_decide.ts";
import { ReconcilerError } from "./error.ts";
import { kindOf } from "./graph.ts";

/**
 * Kinds in the order in which they are retrieved: each after those that its descriptor names.
 * @throws {ReconcilerError} CYCLE, UNKNOWN_KIND
 */
export function retrievalOrder(descriptors: Descriptors): readonly string[] {
  const ordered = new Set<string>();
  const visit = (kind: string, path: readonly string[]): void => {
    if (ordered.has(kind)) return;
    const through = [...path, kind];
    if (path.includes(kind)) {
      const message = `Cannot order kinds: ${through.join(" is retrieved after ")}`;
      throw new ReconcilerError("CYCLE", message);
    }
    const descriptor = descriptors.get(kind);
    if (descriptor === undefined) {
      const message = `Cannot order kinds: ${through.join(" is retrieved after ")}, ` +
        `which no descriptor makes`;
      throw new ReconcilerError("UNKNOWN_KIND", message);
    }
    for (const other of descriptor.after ?? []) visit(other, through);
    ordered.add(kind);
  };
  for (const kind of descriptors.keys()) visit(kind, []);
  return [...ordered];
}

export interface Retrieval {
  readonly descriptors: Descriptors;
  /** The kinds to retrieve, in their order. */
  readonly kinds: readonly string[];
  readonly wanted: (kind: string) => readonly Item[];
  /** What is known already of kinds that are not retrieved. */
  readonly known: Iterable<readonly [string, Retrieved]>;
  /** Milliseconds that one kind may take. */
  readonly timeout: number;
}

/**
 * Asks the descriptors what exists. Each kind starts as soon as those before it are there, all
 * others at the same time.
 *
 * @throws {ReconcilerError} RETRIEVE if one fails or says nothing in time; the others are aborted
 */
export async function retrieve(retrieval: Retrieval): Promise<ReadonlyMap<string, Retrieved>> {
  const known = new Map<string, Retrieved>(retrieval.known);
  const found = new Map<string, Retrieved>();
  const abort = new AbortController();
  const context = contextOf(known, abort.signal);
  const started = new Map<string, Promise<void>>();
  const one = async (kind: string, descriptor: Descriptor): Promise<void> => {
    await Promise.all((descriptor.after ?? []).map((other) => started.get(other)));
    const wanted = retrieval.wanted(kind);
    const all = await inTime(descriptor.retrieve(wanted, known, context), kind, retrieval.timeout);
    for (const one of all) {
      if (kindOf(one.key) !== kind) throw new TypeError(`${kind} retrieved ${one.key}`);
      known.set(one.key, one);
      found.set(one.key, one);
    }
  };
  try {
    for (const kind of retrieval.kinds) {
      const descriptor = retrieval.descriptors.get(kind);
      if (descriptor) started.set(kind, one(kind, descriptor).catch((error) => fail(kind, error)));
    }
    await Promise.all(started.values());
  } catch (error) {
    abort.abort(error);
    throw error;
  }
  return found;
}

function fail(kind: string, cause: unknown): never {
  if (cause instanceof ReconcilerError && cause.code === "RETRIEVE") throw cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `Cannot retrieve ${kind}: ${reason}`;
  throw new ReconcilerError("RETRIEVE", message, { retryable: true, cause });
}

async function inTime<T>(work: Promise<T>, kind: string, timeout: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const message = `Cannot retrieve ${kind}: no answer for ${timeout} ms, wanted one by then`;
  const timer = setTimeout(
    () => late.reject(new ReconcilerError("RETRIEVE", message, { retryable: true })),
    timeout,
  );
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function contextOf(known: ReadonlyMap<string, Retrieved>, signal: AbortSignal): DescriptorContext {
  const tryMeta = <M>(key: string): M | undefined => known.get(key)?.meta as M | undefined;
  const meta = <M>(key: string): M => {
    const one = known.get(key);
    if (one) return one.meta as M;
    const message = `Cannot use ${key}: it was not retrieved, wanted its kind before this one`;
    throw new ReconcilerError("NOT_APPLIED", message);
  };
  return { meta, tryMeta, signal };
}
