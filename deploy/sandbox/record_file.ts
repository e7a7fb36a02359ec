/** What a record says of itself, so that another contiv's is not misread. */
interface Versioned {
  readonly version: number;
}

/** A record in a JSON file, replaced as a whole, and the directory that it stands in. */
export class RecordFile<T extends Versioned> {
  readonly directory: string;
  readonly #file: string;
  readonly #version: T["version"];

  constructor(directory: string, name: string, version: T["version"]) {
    this.directory = directory;
    this.#file = `${directory}/${name}`;
    this.#version = version;
  }

  /**
   * The record, or `undefined` where there is none.
   * @throws {Error} if it has another version
   */
  load(): T | undefined {
    let text: string;
    try {
      text = Deno.readTextFileSync(this.#file);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
    const record = JSON.parse(text) as T;
    if (record.version !== this.#version) {
      throw new Error(
        `Cannot read ${this.#file}: it has version ${record.version}, ` +
          `this contiv reads version ${this.#version}`,
      );
    }
    return record;
  }

  save(record: T): void {
    Deno.mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    const draft = `${this.#file}.new`;
    Deno.writeTextFileSync(draft, JSON.stringify(record, null, 2) + "\n");
    Deno.renameSync(draft, this.#file);
  }

  /** Removes the directory with all that is in it. */
  remove(): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}
