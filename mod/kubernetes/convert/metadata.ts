import type { Raw } from "./raw.ts";

/** An object that cannot be converted as a whole. */
export class ConversionError extends Error {
  override readonly name = "ConversionError";
}

const NAME = /^[A-Za-z0-9]([-A-Za-z0-9._:]*[A-Za-z0-9])?$/;

function nameAt(raw: Raw): string {
  const name = raw.text();
  // Kubernetes' own rules are narrower for most kinds; these are what keys can hold.
  if (name !== undefined && name.length <= 253 && NAME.test(name)) return name;
  throw new ConversionError(`${raw.path}: ${JSON.stringify(raw.value)}, an object's name wanted`);
}

/** @throws {ConversionError} */
export function readName(object: Raw): { readonly name: string } {
  return { name: nameAt(object.at("metadata").at("name")) };
}

/** @throws {ConversionError} */
export function readNames(object: Raw): { readonly namespace: string; readonly name: string } {
  const metadata = object.at("metadata");
  return { namespace: nameAt(metadata.at("namespace")), name: nameAt(metadata.at("name")) };
}

export function readLabels(object: Raw): ReadonlyMap<string, string> {
  return object.at("metadata").at("labels").map();
}

/** A record without the keys whose values are missing. */
export function present<T extends object>(
  record: { readonly [K in keyof T]: T[K] | undefined },
): Partial<T> {
  const entries = Object.entries(record).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<T>;
}
