/** The versions of the CNI specification that contiv speaks, oldest first. */
export const CNI_VERSIONS = ["0.3.1", "0.4.0", "1.0.0", "1.1.0"] as const;

export type CniVersion = typeof CNI_VERSIONS[number];

/** The version in whose form results are kept, and errors told when none was asked for. */
export const NEWEST_CNI_VERSION = "1.1.0" satisfies CniVersion;

export function isCniVersion(text: unknown): text is CniVersion {
  return (CNI_VERSIONS as readonly unknown[]).includes(text);
}

/** Commands that work on the configuration; VERSION does not. */
export const CNI_VERBS = ["ADD", "DEL", "CHECK", "GC", "STATUS"] as const;

export type CniVerb = typeof CNI_VERBS[number];

export function isCniVerb(text: string): text is CniVerb {
  return (CNI_VERBS as readonly string[]).includes(text);
}

/** The version that brought a command (release notes of the specification). */
const SINCE: Record<CniVerb, CniVersion> = {
  ADD: "0.3.1",
  DEL: "0.3.1",
  CHECK: "0.4.0",
  GC: "1.1.0",
  STATUS: "1.1.0",
};

/** Whether a version of the specification has a command. */
export function hasVerb(version: CniVersion, verb: CniVerb): boolean {
  return CNI_VERSIONS.indexOf(version) >= CNI_VERSIONS.indexOf(SINCE[verb]);
}
