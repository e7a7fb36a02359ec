/** Numbers of the kernel's list format, `0-3,8,10-11`, ascending; none for nonsense. */
export function parseList(text: string | undefined): number[] {
  const numbers = new Set<number>();
  for (const part of (text ?? "").trim().split(",")) {
    const [, first = "", last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (first === "" || Number(last) - Number(first) > MAX_RANGE) continue;
    for (let number = Number(first); number <= Number(last); number++) numbers.add(number);
  }
  return [...numbers].toSorted((a, b) => a - b);
}

/** More CPUs or nodes than Linux can be built for are nonsense. */
const MAX_RANGE = 8192;
