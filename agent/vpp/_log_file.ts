/** What of a file's end is read at most, and how long it may grow. */
const TAIL = 64 * 1024;
const LARGEST = 16 * 1024 * 1024;
const LONGEST_LINE = 500;

/** A file that a process appends its output to. */
export class LogFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Begins a new file; what was written last goes to `<path>.1`. */
  rotate(): void {
    try {
      Deno.renameSync(this.path, `${this.path}.1`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    Deno.writeTextFileSync(this.path, "", { mode: 0o600 });
  }

  /** Empties a file that has grown too large; whoever appends to it goes on at its beginning. */
  trim(): void {
    try {
      if (Deno.statSync(this.path).size > LARGEST) Deno.truncateSync(this.path, 0);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** The last lines, oldest first; none if there is no file. */
  last(count: number): readonly string[] {
    try {
      using file = Deno.openSync(this.path);
      const { size } = file.statSync();
      file.seekSync(Math.max(0, size - TAIL), Deno.SeekMode.Start);
      const bytes = new Uint8Array(Math.min(size, TAIL));
      let length = 0;
      for (
        let read: number | null = 1;
        read !== null && length < bytes.length;
        length += read ?? 0
      ) {
        read = file.readSync(bytes.subarray(length));
      }
      const lines = new TextDecoder().decode(bytes.subarray(0, length)).split("\n");
      return lines.filter((line) => line !== "").slice(-count)
        .map((line) => line.slice(0, LONGEST_LINE));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }
}
