/** What a process did to its files, as strace tells it, and what a loss of power leaves of it. */

/**
 * strace's flags for {@link parseDiskTrace}; the output's path follows. The program stays a child of
 * the caller, so that it gets its signals.
 */
export const DISK_TRACE: readonly string[] = [
  ["strace", "-D", "-f", "--seccomp-bpf", "-y", "-ttt", "-T", "-xx", "-s", "70000"],
  ["-e", "trace=pwrite64,ftruncate,unlink,fsync,fdatasync", "-e", "signal=none", "-o"],
].flat();

interface Done {
  readonly path: string;
  /** Seconds since the epoch. */
  readonly begin: number;
  readonly end: number;
  /** The lines that told of its begin and its end: their order is right where times are equal. */
  readonly firstLine: number;
  readonly lastLine: number;
}

export type DiskEvent =
  | Done & { readonly type: "write"; readonly offset: number; readonly bytes: Uint8Array }
  | Done & { readonly type: "truncate"; readonly size: number }
  | Done & { readonly type: "unlink" }
  | Done & { readonly type: "sync"; readonly call: "fsync" | "fdatasync" };

/** Reads strace's output; calls that failed are left out. In the order of their ends. */
export function parseDiskTrace(text: string): DiskEvent[] {
  const begun = new Map<string, { readonly call: string; readonly line: number }>();
  const events: DiskEvent[] = [];
  for (const [number, line] of text.split("\n").entries()) {
    const [, thread = "", time = "", rest = ""] = /^(\d+) +([\d.]+) (.*)$/.exec(line) ?? [];
    const unfinished = /^(.*) <unfinished \.\.\.>$/.exec(rest)?.[1];
    if (unfinished !== undefined) {
      begun.set(thread, { call: `${time} ${unfinished}`, line: number });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)?.[1];
    const start = resumed === undefined ? undefined : begun.get(thread);
    const call = start === undefined ? `${time} ${rest}` : `${start.call}${resumed}`;
    const event = parseCall(call, start?.line ?? number, number);
    if (event !== undefined) events.push(event);
  }
  return events;
}

/** Time, name, path (of a descriptor, or a text), further arguments, result, duration. */
const CALL = /^([\d.]+) (\w+)\((?:\d+<([^>]*)>|"([^"]*)")(?:, (.*))?\) += (\d+) <([\d.]+)>$/;

function parseCall(text: string, firstLine: number, lastLine: number): DiskEvent | undefined {
  const [, time, name, of, named, args = "", result, took] = CALL.exec(text) ?? [];
  const path = of ?? named;
  if (time === undefined || path === undefined) return undefined;
  const begin = Number(time);
  const done: Done = {
    path: new TextDecoder().decode(unescape(path)),
    begin,
    end: begin + Number(took),
    firstLine,
    lastLine,
  };
  if (name === "fsync" || name === "fdatasync") return { ...done, type: "sync", call: name };
  if (name === "unlink") return { ...done, type: "unlink" };
  if (name === "ftruncate") return { ...done, type: "truncate", size: Number(args) };
  const [, data, offset] = /^"((?:\\x[\da-f]{2})*)", \d+, (\d+)$/.exec(args) ?? [];
  if (data === undefined) throw new Error(`Cannot read strace's line: ${text.slice(0, 200)}`);
  const bytes = unescape(data);
  if (bytes.length !== Number(result)) throw new Error(`A write was cut: ${text.slice(0, 200)}`);
  return { ...done, type: "write", offset: Number(offset), bytes };
}

/** Octets of a text of which all are written as `\xNN`, or none. */
function unescape(text: string): Uint8Array {
  if (!text.startsWith("\\x")) return new TextEncoder().encode(text);
  const octets = new Uint8Array(text.length / 4);
  for (let i = 0; i < octets.length; i++) {
    octets[i] = hexDigit(text, 4 * i + 2) << 4 | hexDigit(text, 4 * i + 3);
  }
  return octets;
}

/** The digit at a place of a text, which is one of 0 to 9 and a to f. */
function hexDigit(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code <= 57 ? code - 48 : code - 87;
}

/** What a disk writes whole. */
const SECTOR = 512;

/**
 * The files as they may stand after the power was lost at some time: what was synced is there; of
 * each later write, every sector is there or not, as chance has it. Whether a file is gone is known
 * when its directory was synced.
 * @param random numbers from 0 up to 1
 */
export function afterPowerLoss(
  events: readonly DiskEvent[],
  time: number,
  random: () => number,
): Map<string, Uint8Array> {
  const files = new Map<string, Image>();
  const fileAt = (path: string): Image => {
    const file = files.get(path) ?? new Image();
    files.set(path, file);
    return file;
  };
  for (const event of events) {
    if (event.begin > time) continue;
    if (event.type !== "sync") {
      fileAt(event.path).pending.push(event);
    } else if (event.end <= time) {
      fileAt(event.path).sync(event, ({ type }) => type !== "unlink");
      for (const [path, file] of files) {
        if (path.slice(0, path.lastIndexOf("/")) !== event.path) continue;
        file.sync(event, ({ type }) => type === "unlink");
      }
    }
  }
  const result = new Map<string, Uint8Array>();
  for (const [path, file] of files) {
    // The order in which a disk writes is its own.
    for (const event of file.pending) file.apply(event, () => random() < 0.5);
    if (file.exists) result.set(path, file.bytes);
  }
  return result;
}

/** A file's content, sector by sector. */
class Image {
  /** What may or may not be on the disk. */
  pending: DiskEvent[] = [];
  exists = false;
  #buffer = new Uint8Array(1 << 16);
  #size = 0;

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#size);
  }

  /** Puts on the disk what ended before a sync began. */
  sync(sync: DiskEvent, concerns: (event: DiskEvent) => boolean): void {
    this.pending = this.pending.filter((event) => {
      if (event.lastLine > sync.firstLine || !concerns(event)) return true;
      this.apply(event, () => true);
      return false;
    });
  }

  apply(event: DiskEvent, survives: () => boolean): void {
    if (event.type === "unlink") {
      if (!survives()) return;
      this.exists = false;
      this.#size = 0;
    } else if (event.type === "truncate") {
      if (survives()) this.#resize(event.size);
    } else if (event.type === "write") {
      const { offset, bytes } = event;
      for (let at = 0; at < bytes.length;) {
        const end = Math.min(bytes.length, at + SECTOR - (offset + at) % SECTOR);
        if (survives()) {
          this.exists = true;
          if (this.#size < offset + end) this.#resize(offset + end);
          this.#buffer.set(bytes.subarray(at, end), offset + at);
        }
        at = end;
      }
    }
  }

  #resize(size: number): void {
    if (size > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(size, this.#buffer.length * 2));
      grown.set(this.bytes);
      this.#buffer = grown;
    }
    if (size < this.#size) this.#buffer.fill(0, size, this.#size);
    this.#size = size;
  }
}
