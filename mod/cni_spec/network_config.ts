import { CniError, CniErrorCode } from "./cni_error.ts";
import { isCniName } from "./environment.ts";
import { CNI_VERSIONS, type CniVerb, type CniVersion, hasVerb, isCniVersion } from "./versions.ts";

/** What every plugin may find in its configuration (CNI 1.1.0, 1 and 3), checked in form. */
export interface NetworkConfig {
  readonly cniVersion: CniVersion;
  /** The network's name. */
  readonly name: string;
  /** The plugin's, as the file name of its executable. */
  readonly type: string;
  /** The whole configuration, from which a plugin takes the keys of its own. */
  readonly keys: JsonObject;
}

/** A JSON object whose values were not looked at. */
export type JsonObject = { readonly [key: string]: unknown };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The JSON object on standard input.
 * @throws {CniError} DECODING_FAILURE
 */
export function decodeConfig(bytes: Uint8Array): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch (error) {
    throw new CniError(
      CniErrorCode.DECODING_FAILURE,
      "Cannot decode the network configuration: wanted JSON in UTF-8",
      error instanceof Error ? error.message : String(error),
      { cause: error },
    );
  }
  if (!isJsonObject(value)) {
    throw new CniError(
      CniErrorCode.DECODING_FAILURE,
      "Cannot decode the network configuration: wanted a JSON object",
    );
  }
  return value;
}

/**
 * Checks a configuration for a command.
 * @throws {CniError} INCOMPATIBLE_VERSION, DECODING_FAILURE or INVALID_NETWORK_CONFIG
 */
export function checkConfig(keys: JsonObject, verb: CniVerb): NetworkConfig {
  const cniVersion = checkVersion(keys["cniVersion"], verb);
  const { name, type, prevResult } = keys;
  if (typeof name !== "string" || !isCniName(name)) {
    throw invalid("name", name, "a letter or digit, then letters, digits, _, . or -");
  }
  if (typeof type !== "string" || type === "" || type.includes("/")) {
    throw invalid("type", type, "the plugin's file name");
  }
  // A runtime in Go may write null for what is absent.
  if (prevResult === undefined || prevResult === null) {
    if (verb === "CHECK") throw invalid("prevResult", prevResult, "the result of ADD for CHECK");
  } else if (!isJsonObject(prevResult)) {
    throw invalid("prevResult", prevResult, "a result");
  }
  return { cniVersion, name, type, keys };
}

function checkVersion(version: unknown, verb: CniVerb): CniVersion {
  // CNI 0.1.0 had no cniVersion: who names none speaks that.
  const asked = version === undefined || version === "" ? "0.1.0" : version;
  if (typeof asked !== "string") {
    throw new CniError(
      CniErrorCode.DECODING_FAILURE,
      "Cannot decode cniVersion: wanted a string",
      `cniVersion is ${describe(asked)}`,
    );
  }
  if (!isCniVersion(asked)) {
    throw new CniError(
      CniErrorCode.INCOMPATIBLE_VERSION,
      `Cannot speak CNI ${describe(asked)}: wanted one of ${CNI_VERSIONS.join(", ")}`,
    );
  }
  if (!hasVerb(asked, verb)) {
    const since = CNI_VERSIONS.filter((candidate) => hasVerb(candidate, verb));
    throw new CniError(
      CniErrorCode.INCOMPATIBLE_VERSION,
      `Cannot ${verb} in CNI ${asked}: wanted one of ${since.join(", ")}`,
    );
  }
  return asked;
}

/**
 * The error for a key of the configuration that has a wrong value: INVALID_NETWORK_CONFIG.
 * @param wanted what the value should be
 */
export function invalid(key: string, value: unknown, wanted: string): CniError {
  return new CniError(
    CniErrorCode.INVALID_NETWORK_CONFIG,
    `Cannot take ${key} of the network configuration: wanted ${wanted}`,
    `${key} is ${value === undefined ? "missing" : describe(value)}`,
  );
}

function describe(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
