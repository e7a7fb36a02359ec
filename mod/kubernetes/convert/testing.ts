/**
 * Garbage for property tests of whatever reads API objects.
 *
 * @module
 */
import fc from "fast-check";

/** Values that stand where others are wanted. */
const anything: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown[]>(
    ...["10.0.0.0/8", "::", "IPv4", "None", "", -1, 65_536, 1.5, null, {}, []],
  ),
);

/** Changes of a JSON value: what stands at a path is replaced. */
export const spoilings: fc.Arbitrary<readonly (readonly [readonly number[], unknown])[]> = fc.array(
  fc.tuple(fc.array(fc.nat(30), { maxLength: 7 }), anything),
  { maxLength: 3 },
);

/** A JSON value after such changes. */
export function spoil(
  value: unknown,
  changes: readonly (readonly [readonly number[], unknown])[],
): unknown {
  return changes.reduce<unknown>((each, [path, by]) => replace(each, path, by), value);
}

function replace(value: unknown, path: readonly number[], by: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined || typeof value !== "object" || value === null) return by;
  const keys = Object.keys(value);
  if (keys.length === 0) return by;
  const key = keys[step % keys.length] ?? "";
  const changed = replace((value as Record<string, unknown>)[key], rest, by);
  if (Array.isArray(value)) return value.map((each, i) => String(i) === key ? changed : each);
  return { ...value, [key]: changed };
}
