import { labels, object, type Shape } from "./_codecs.ts";
import type { Labels } from "./labels.ts";

export interface Namespace {
  readonly name: string;
  readonly labels: Labels;
}

export const NAMESPACE: Shape<Namespace, "name"> = object({ labels });
