import type { Manifest } from "@contiv/kubernetes";

/** A directory of manifests that KSR watches, and nobody else writes to. */
export class ManifestDirectory {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Has these files in the directory and no others; what is there already is not touched. */
  write(files: ReadonlyMap<string, Manifest>): void {
    for (const { name } of [...Deno.readDirSync(this.#path)]) {
      if (!files.has(name)) Deno.removeSync(`${this.#path}/${name}`);
    }
    for (const [name, manifest] of files) {
      const path = `${this.#path}/${name}`;
      const text = JSON.stringify(manifest, null, 2) + "\n";
      if (textOf(path) === text) continue;
      // KSR passes over what starts with a dot, and so never sees half a file.
      const draft = `${this.#path}/.${name}`;
      Deno.writeTextFileSync(draft, text);
      Deno.renameSync(draft, path);
    }
  }
}

function textOf(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
