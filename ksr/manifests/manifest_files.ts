import { manifestId, readDocuments, readManifests, type TypedManifest } from "@contiv/kubernetes";
import type { Problem } from "../source/mod.ts";

/** What one file gave when it was read last. */
interface FileState {
  readonly text: string;
  /** By id; what a former reading gave is kept while there is a bad document. */
  readonly manifests: ReadonlyMap<string, TypedManifest>;
  readonly problems: readonly Problem[];
}

/**
 * The manifests of a set of files. While a file has a bad document, nothing that it gave before
 * goes: what its good documents say counts, the rest stays as it was. Of two manifests of one object
 * the one of the first file, by name, counts.
 */
export class ManifestFiles {
  #files = new Map<string, FileState>();

  /**
   * Takes the files as they are now.
   * @param files texts by path
   * @returns whether anything differs
   */
  update(files: ReadonlyMap<string, string>): boolean {
    const sorted = [...files].sort(([a], [b]) => a < b ? -1 : 1);
    const same = sorted.length === this.#files.size &&
      sorted.every(([path, text]) => this.#files.get(path)?.text === text);
    if (same) return false;
    this.#files = new Map(sorted.map(([path, text]) => {
      const before = this.#files.get(path);
      return [path, before?.text === text ? before : readFile(path, text, before)];
    }));
    return true;
  }

  manifests(): TypedManifest[] {
    const all = new Map<string, TypedManifest>();
    for (const { manifests } of this.#files.values()) {
      for (const [id, each] of manifests) if (!all.has(id)) all.set(id, each);
    }
    return [...all.values()];
  }

  problems(): Problem[] {
    const seen = new Map<string, string>();
    const twice: Problem[] = [];
    for (const [path, { manifests }] of this.#files) {
      for (const id of manifests.keys()) {
        const first = seen.get(id);
        if (first === undefined) seen.set(id, path);
        else twice.push({ subject: path, message: `${id} is in ${first} already, which counts` });
      }
    }
    return [...[...this.#files.values()].flatMap(({ problems }) => problems), ...twice];
  }
}

function readFile(path: string, text: string, before: FileState | undefined): FileState {
  const { good, bad } = readDocuments(path, text);
  const problems: Problem[] = bad.map(({ line, reason }) => ({
    subject: path,
    message: `line ${line}: ${reason}`,
  }));
  const manifests = new Map<string, TypedManifest>();
  let whole = bad.length === 0;
  for (const { line, value } of good) {
    try {
      for (const each of readManifests(value)) {
        const id = manifestId(each);
        if (manifests.has(id)) {
          problems.push({ subject: path, message: `line ${line}: ${id} for the second time` });
        } else manifests.set(id, each);
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      problems.push({ subject: path, message: `line ${line}: ${error.message}` });
      whole = false;
    }
  }
  if (!whole) {
    for (const [id, each] of before?.manifests ?? []) {
      if (!manifests.has(id)) manifests.set(id, each);
    }
  }
  return { text, manifests, problems };
}
