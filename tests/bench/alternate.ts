/** Something that is measured: one run gives one sample. */
export type Subject = (round: number) => Promise<number>;

export interface AlternateOptions {
  readonly rounds: number;
  /** Rounds before the counted ones. @default 1 */
  readonly warmUp?: number;
  readonly signal: AbortSignal;
}

/**
 * Runs each subject once per round, so that what slows the machine for a while slows all of them,
 * and every round starts with another one, so that none always follows the same.
 *
 * @returns the counted samples of each subject
 */
export async function alternate<const Name extends string>(
  subjects: Readonly<Record<Name, Subject>>,
  { rounds, warmUp = 1, signal }: AlternateOptions,
): Promise<Record<Name, number[]>> {
  const entries = Object.entries(subjects) as [Name, Subject][];
  const samples = Object.fromEntries(entries.map(([name]) => [name, []])) as unknown as Record<
    Name,
    number[]
  >;
  for (let round = -warmUp; round < rounds; round++) {
    for (let turn = 0; turn < entries.length; turn++) {
      signal.throwIfAborted();
      const entry = entries[(turn + round + warmUp) % entries.length];
      if (entry === undefined) continue;
      const [name, subject] = entry;
      const sample = await subject(round);
      if (round >= 0) samples[name].push(sample);
    }
  }
  return samples;
}
