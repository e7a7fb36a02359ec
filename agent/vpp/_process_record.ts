import { type Libc, processStart, readKernelFile } from "@contiv/libc";

/** A process that was started, so that whoever comes later knows it. */
export interface StartedProcess {
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

interface Entry extends StartedProcess {
  /** When the kernel says it began: a number that was given out again is another process's. */
  readonly startTime: string;
  /** Numbers of before a reboot mean nothing. */
  readonly bootId: string;
}

/** Keeps in a file which process was started last. */
export class ProcessRecord {
  readonly #libc: Libc;
  readonly #path: string;

  constructor(libc: Libc, path: string) {
    this.#libc = libc;
    this.#path = path;
  }

  /** The process, if it still runs. */
  read(): StartedProcess | undefined {
    const entry = this.#entry();
    if (entry === undefined || !this.isCurrent()) return undefined;
    return { pid: entry.pid, startedAt: entry.startedAt };
  }

  /** Records a process that was just started. */
  write({ pid, startedAt }: StartedProcess): void {
    const entry: Entry = {
      pid,
      startedAt,
      startTime: processStart(this.#libc, pid) ?? "",
      bootId: bootId(this.#libc),
    };
    Deno.writeTextFileSync(this.#path, JSON.stringify(entry), { mode: 0o600 });
  }

  /** Whether the recorded process still runs. */
  isCurrent(): boolean {
    const entry = this.#entry();
    return entry !== undefined && entry.bootId === bootId(this.#libc) &&
      processStart(this.#libc, entry.pid) === entry.startTime;
  }

  remove(): void {
    try {
      Deno.removeSync(this.#path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  #entry(): Entry | undefined {
    try {
      const entry = JSON.parse(Deno.readTextFileSync(this.#path)) as Partial<Entry>;
      const { bootId, pid, startTime, startedAt } = entry;
      if (typeof pid !== "number" || typeof startedAt !== "number") return undefined;
      if (typeof bootId !== "string" || typeof startTime !== "string") return undefined;
      return { pid, startedAt, startTime, bootId };
    } catch (error) {
      // Cut off by a power failure, it says nothing.
      if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }
}

function bootId(libc: Libc): string {
  return readKernelFile(libc, "/proc/sys/kernel/random/boot_id").trim();
}
