/** What an empty cluster of two nodes is started from. */
export const COMPONENTS = [
  "store",
  "ksr",
  "vswitch node1",
  "agent node1",
  "vswitch node2",
  "agent node2",
] as const;

export type Component = typeof COMPONENTS[number];

/** How many orders there are. */
export const ORDERS = COMPONENTS.reduce((product, _, i) => product * (i + 1), 1);

/** The order of that number, from 0: its digits in the factorial number system. Pure. */
export function order(number: number): readonly Component[] {
  if (!Number.isSafeInteger(number) || number < 0 || number >= ORDERS) {
    throw new RangeError(`Cannot order by ${number}: 0 to ${ORDERS - 1} wanted`);
  }
  const rest: Component[] = [...COMPONENTS];
  const ordered: Component[] = [];
  let index = number;
  let radix = ORDERS;
  while (rest.length > 0) {
    radix /= rest.length;
    ordered.push(...rest.splice(Math.floor(index / radix), 1));
    index %= radix;
  }
  return ordered;
}
