/**
 * The value below which a share of the samples lies, between the two nearest samples.
 *
 * @param share 0 to 1; 0.5 is the median
 * @throws {RangeError} without samples
 */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)];
  const high = sorted[Math.ceil(at)];
  if (low === undefined || high === undefined) {
    throw new RangeError("Cannot take a quantile: there are no samples, at least one wanted");
  }
  return low + (high - low) * (at - Math.floor(at));
}
