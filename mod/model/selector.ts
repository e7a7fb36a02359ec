import { type Labels, NO_LABELS } from "./labels.ts";

export const OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist"] as const;

export type Operator = typeof OPERATORS[number];

export interface Expression {
  readonly key: string;
  readonly operator: Operator;
  /** For In and NotIn. */
  readonly values: readonly string[];
}

/** Which objects by their labels: all parts must hold. Without parts it selects everything. */
export interface Selector {
  readonly labels: Labels;
  readonly expressions: readonly Expression[];
}

export const EVERYTHING: Selector = { labels: NO_LABELS, expressions: [] };

/** Whether a selector selects what carries these labels. NotIn holds where the key is absent. */
export function selects(selector: Selector, labels: Labels): boolean {
  for (const [key, value] of selector.labels) {
    if (labels.get(key) !== value) return false;
  }
  return selector.expressions.every((expression) => holds(expression, labels.get(expression.key)));
}

function holds({ operator, values }: Expression, value: string | undefined): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
  }
}
