import {
  RT_SCOPE_HOST,
  RT_SCOPE_LINK,
  RT_SCOPE_NOWHERE,
  RT_SCOPE_SITE,
  RT_SCOPE_UNIVERSE,
} from "../constants/rtnetlink.ts";

const NAMES = {
  global: RT_SCOPE_UNIVERSE,
  site: RT_SCOPE_SITE,
  link: RT_SCOPE_LINK,
  host: RT_SCOPE_HOST,
  nowhere: RT_SCOPE_NOWHERE,
} as const;

/** How far an address or a route reaches (linux/rtnetlink.h, rt_scope_t); numbers are users' own. */
export type Scope = keyof typeof NAMES | number;

const BY_NUMBER: ReadonlyMap<number, Scope> = new Map([
  [RT_SCOPE_UNIVERSE, "global"],
  [RT_SCOPE_SITE, "site"],
  [RT_SCOPE_LINK, "link"],
  [RT_SCOPE_HOST, "host"],
  [RT_SCOPE_NOWHERE, "nowhere"],
]);

/** The kernel's number of a scope. */
export function encodeScope(scope: Scope): number {
  return typeof scope === "number" ? scope : NAMES[scope];
}

/** The scope of a kernel's number, by its name if it has one. */
export function decodeScope(number: number): Scope {
  return BY_NUMBER.get(number) ?? number;
}
