/**
 * Does work, some of it at a time, and gives its results in order.
 * @param width how many at a time
 */
export async function inParallel<T>(
  work: readonly (() => Promise<T>)[],
  width: number,
): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let i = next++; i < work.length; i = next++) {
      const item = work[i];
      if (item !== undefined) results[i] = await item();
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  return results;
}
