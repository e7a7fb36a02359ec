/** Digits of the number, so that writing it never needs another block of a full disk. */
const DIGITS = 16;

/**
 * The number of the database's last transaction, in a file beside it. The newest transactions are
 * in SQLite's log, and a log that lost its end, or a file that was put back from a backup, is a
 * sound database to SQLite: this number tells that transactions are missing.
 *
 * It is written after each commit, so that a death in between leaves it one behind, never ahead.
 */
export class GenerationFile implements Disposable {
  readonly #path: string | undefined;
  #file: Deno.FsFile | undefined;

  /** @param path none for a database in memory, of which nothing is kept */
  constructor(path: string | undefined) {
    this.#path = path;
  }

  /** The number; `undefined` if there is none that can be read. */
  read(): number | undefined {
    if (this.#path === undefined) return undefined;
    try {
      const text = Deno.readTextFileSync(this.#path);
      return /^\d{16}\n$/.test(text) ? Number(text) : undefined;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** Never throws: an older number is no error, it only notices less. */
  write(generation: number): void {
    if (this.#path === undefined) return;
    try {
      this.#file ??= Deno.openSync(this.#path, { create: true, write: true, mode: 0o600 });
      this.#file.seekSync(0, Deno.SeekMode.Start);
      this.#file.writeSync(
        new TextEncoder().encode(`${String(generation).padStart(DIGITS, "0")}\n`),
      );
    } catch {
      this.close();
    }
  }

  /** Idempotent. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
