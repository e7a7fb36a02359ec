/**
 * An object's labels. A map, since `constructor` is as good a label as any; an empty value is there
 * all the same.
 */
export type Labels = ReadonlyMap<string, string>;

export const NO_LABELS: Labels = new Map();
