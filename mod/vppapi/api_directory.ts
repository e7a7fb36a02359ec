import { type ApiFile, documentOfApiFiles } from "./api_files.ts";
import { VppSchemaError } from "./error.ts";
import { Schema } from "./schema.ts";

/** Where VPP's packages put the descriptions of its API. */
export const DEFAULT_API_DIRECTORY = "/usr/share/vpp/api";

/**
 * Where a VPP's packages, or an installation below a prefix of its own, put them.
 * @param binary path of vpp, if it is known
 */
export function apiDirectoryOf(binary: string | undefined): string {
  const prefix = /^(.*)\/s?bin\/[^/]*$/.exec(binary ?? "")?.[1];
  return prefix === undefined ? DEFAULT_API_DIRECTORY : `${prefix}/share/vpp/api`;
}

/** The most that one file and all of them may have; those of VPP 26.06 have 0.2 and 4 MB. */
const MAX_FILE = 8 << 20;
const MAX_TOTAL = 64 << 20;
/** The files stand in the directory and in its `core` and `plugins`. */
const MAX_DEPTH = 2;

/**
 * The descriptions that the VPP of this machine installs beside itself: `*.api.json`, which say how
 * each message of this very release is laid out.
 */
export class ApiDirectory {
  readonly path: string;
  /** What the files were when they were read last. */
  #stamp = "";
  #schema: Schema | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * Reads the files, or gives back what was read before if none has changed.
   *
   * @returns undefined if there are none
   * @throws {VppSchemaError} if one cannot be read or is not of VPP's form, naming it
   */
  load(): Schema | undefined {
    const paths: string[] = [];
    const stamps: string[] = [];
    let total = 0;
    for (const path of filesIn(this.path, MAX_DEPTH)) {
      const { size, mtime } = Deno.statSync(path);
      total += size;
      if (size > MAX_FILE || total > MAX_TOTAL) {
        throw new VppSchemaError(
          `Cannot read ${path}: it has ${size} octets, all have ${total}; ` +
            `at most ${MAX_FILE} and ${MAX_TOTAL} wanted`,
        );
      }
      paths.push(path);
      stamps.push(`${path} ${size} ${mtime?.getTime()}`);
    }
    if (paths.length === 0) return undefined;
    const stamp = stamps.join("\n");
    if (this.#schema === undefined || stamp !== this.#stamp) {
      const files = paths.map((name): ApiFile => ({ name, text: readText(name) }));
      this.#schema = Schema.of(documentOfApiFiles(files, `by ${this.path}`));
      this.#stamp = stamp;
    }
    return this.#schema;
  }
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new VppSchemaError(`Cannot read ${path}: ${why}, VPP's *.api.json wanted`, { cause });
  }
}

/** Paths of the descriptions, in order, so that what is read does not depend on the file system. */
function filesIn(directory: string, depth: number): string[] {
  let entries: Deno.DirEntry[];
  try {
    entries = [...Deno.readDirSync(directory)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return [];
    }
    const why = error instanceof Error ? error.message : String(error);
    throw new VppSchemaError(`Cannot read ${directory}: ${why}, VPP's API files wanted`, {
      cause: error,
    });
  }
  return entries.toSorted((a, b) => a.name < b.name ? -1 : 1).flatMap(({ name, isDirectory }) => {
    const path = `${directory}/${name}`;
    if (isDirectory) return depth > 1 ? filesIn(path, depth - 1) : [];
    return name.endsWith(".api.json") ? [path] : [];
  });
}
