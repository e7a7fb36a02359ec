/** What became of a promise within its time. */
export type Bounded<T> = { readonly done: true; readonly value: T } | { readonly done: false };

/** Waits for a promise that never rejects, but not longer than a limit in milliseconds. */
export async function bounded<T>(promise: Promise<T>, limitMs: number): Promise<Bounded<T>> {
  const late = Promise.withResolvers<Bounded<T>>();
  const timer = setTimeout(() => late.resolve({ done: false }), Math.max(0, limitMs));
  try {
    return await Promise.race([
      promise.then((value) => ({ done: true, value }) as const),
      late.promise,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
