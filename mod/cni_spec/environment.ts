import { CniError, CniErrorCode } from "./cni_error.ts";
import { CNI_VERBS, type CniVerb, isCniVerb } from "./versions.ts";

/** What the runtime says in the environment, checked (CNI 1.1.0, 2, Parameters). */
export interface CniEnvironment {
  readonly verb: CniVerb;
  /** Empty for GC and STATUS. */
  readonly containerId: string;
  /** A path; may be empty for DEL, is empty for GC and STATUS. */
  readonly netns: string;
  /** Empty for GC and STATUS. */
  readonly ifname: string;
  readonly args: string;
  readonly path: string;
}

/** Linux' own limit of a path, in octets (PATH_MAX of linux/limits.h), is far more than these. */
const MAX_LENGTH = 4096;
/** Names of containers and networks (CNI 1.1.0, 1 and 2). */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** Whether a text may name a container or a network. */
export function isCniName(text: string): boolean {
  return text.length <= MAX_LENGTH && NAME.test(text);
}

/** Whether Linux would take a text as an interface's name (IFNAMSIZ of linux/if.h counts a NUL). */
export function isInterfaceName(text: string): boolean {
  return new TextEncoder().encode(text).length <= 15 && /^[^\s/:\0]+$/.test(text) &&
    text !== "." && text !== "..";
}

/**
 * Reads the parameters of a command other than VERSION.
 * @throws {CniError} INVALID_ENVIRONMENT, with the names of all variables that are wrong
 */
export function readCniEnvironment(get: (name: string) => string | undefined): CniEnvironment {
  const verb = get("CNI_COMMAND") ?? "";
  if (!isCniVerb(verb)) {
    throw new CniError(
      CniErrorCode.INVALID_ENVIRONMENT,
      `Cannot take CNI_COMMAND ${quote(verb)}: wanted ${CNI_VERBS.join(", ")} or VERSION`,
    );
  }
  const attachment = verb === "ADD" || verb === "DEL" || verb === "CHECK";
  const problems: string[] = [];
  const names: string[] = [];
  const read = (
    name: string,
    required: boolean,
    valid: (text: string) => boolean,
    wanted: string,
  ) => {
    const value = get(name) ?? "";
    if (value === "" ? required : !valid(value)) {
      names.push(name);
      problems.push(`${name} is ${value === "" ? "missing" : quote(value)}, wanted ${wanted}`);
    }
    return value;
  };
  const text = (limit: number) => (value: string) => value.length <= limit && !value.includes("\0");
  const containerId = !attachment ? "" : read(
    "CNI_CONTAINERID",
    true,
    isCniName,
    "a letter or digit, then letters, digits, _, . or -",
  );
  const netns = !attachment ? "" : read(
    "CNI_NETNS",
    verb !== "DEL",
    text(MAX_LENGTH),
    `a path of at most ${MAX_LENGTH} characters`,
  );
  const ifname = !attachment ? "" : read(
    "CNI_IFNAME",
    true,
    isInterfaceName,
    "1 to 15 octets without /, : and blanks, not . or ..",
  );
  const args = read("CNI_ARGS", false, text(64 << 10), "at most 64 KiB");
  const path = read("CNI_PATH", false, text(64 << 10), "at most 64 KiB");
  if (problems.length > 0) {
    throw new CniError(
      CniErrorCode.INVALID_ENVIRONMENT,
      `Cannot take ${names.join(", ")} of the environment`,
      problems.join("; "),
    );
  }
  return { verb, containerId, netns, ifname, args, path };
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}
