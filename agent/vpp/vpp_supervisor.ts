import type { Libc } from "@contiv/libc";
import type { Logger } from "@contiv/log";
import { sleep } from "../sleep.ts";
import { LogFile } from "./_log_file.ts";
import { ProcessRecord } from "./_process_record.ts";
import { describeExit, type VppExit } from "./vpp_exit.ts";

export interface VppSupervisorOptions {
  readonly libc: Libc;
  /** Path of the vpp binary. */
  readonly binary: string;
  /** VPP's startup configuration, for which `unix { nodaemon }` is added. */
  readonly startupConfig: string;
  /** Directory for the process's record and its output. */
  readonly directory: string;
  /** Whether somebody serves VPP's API already, whom we did not start. */
  readonly isServed: () => Promise<boolean>;
  /** Removes what a VPP that was killed left in shared memory, which the next one would map. */
  readonly cleanUp: () => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: Logger;
  /** Milliseconds before VPP is started again: the first time, doubled up to the last. @default [500, 30_000] */
  readonly backoff?: readonly [first: number, last: number];
  /** Milliseconds after which a VPP counts as one that works. @default 60_000 */
  readonly steadyMs?: number;
  /** Milliseconds between two looks at a VPP that an earlier agent started. @default 500 */
  readonly lookMs?: number;
}

/** What the supervisor does. */
export type SupervisorState =
  /** VPP runs: started by us, by the agent before us, or by somebody else. */
  | "running"
  | "adopted"
  | "foreign"
  /** VPP is started again at `nextStart`. */
  | "waiting"
  | "stopped";

/** How VPP fares, for people. */
export interface SupervisorStatus {
  readonly state: SupervisorState;
  readonly pid?: number;
  /** Times in milliseconds since the epoch. */
  readonly startedAt?: number;
  readonly nextStart?: number;
  /** How often VPP was started, since the agent was. */
  readonly starts: number;
  /** How often it ended. */
  readonly exits: number;
  /** How it ended last. */
  readonly lastExit?: VppExit;
}

/** Lines of VPP's output that are kept of its end. */
const LINES = 100;
/** Milliseconds between two looks at how long its output is. */
const TRIM_MS = 60_000;

/**
 * Starts VPP, watches it, and starts it again when it ends, later each time while it does not stay.
 *
 * VPP outlives the agent: forwarding goes on while the agent is away, and the next agent adopts the
 * process by its record. A VPP that somebody else started is left alone.
 */
export class VppSupervisor {
  readonly #options: VppSupervisorOptions;
  readonly #stop = new AbortController();
  readonly #output: LogFile;
  readonly #record: ProcessRecord;
  #status: SupervisorStatus = { state: "stopped", starts: 0, exits: 0 };

  constructor(options: VppSupervisorOptions) {
    this.#options = options;
    this.#output = new LogFile(`${options.directory}/vpp.log`);
    this.#record = new ProcessRecord(options.libc, `${options.directory}/vpp.pid`);
  }

  /** How VPP fares; its last lines are read when it has ended. */
  get status(): SupervisorStatus {
    return this.#status;
  }

  /** Runs until {@link close}. Never rejects. */
  async run(): Promise<void> {
    const { backoff: [first, last] = [500, 30_000], steadyMs = 60_000 } = this.#options;
    const { signal } = this.#stop;
    let delay = first;
    while (!signal.aborted) {
      const began = this.#options.now();
      const exit = await this.#once();
      if (signal.aborted) break;
      if (exit === undefined) {
        delay = first;
        continue;
      }
      if (exit.at - began >= steadyMs) delay = first;
      this.#ended(exit, delay);
      await sleep(delay, signal);
      delay = Math.min(last, 2 * delay);
    }
    const { pid: _, nextStart: __, ...rest } = this.#status;
    this.#status = { ...rest, state: "stopped" };
  }

  /** Ends the watch; VPP goes on. */
  close(): void {
    this.#stop.abort();
  }

  /** One life of a VPP; undefined if it was somebody else's. */
  async #once(): Promise<VppExit | undefined> {
    const known = this.#record.read();
    if (known !== undefined) return await this.#adopt(known.pid, known.startedAt);
    if (await this.#options.isServed()) return await this.#leaveAlone();
    try {
      return await this.#start();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return this.#exit({ code: null, signal: null, problem: error.message }, 0);
    }
  }

  async #start(): Promise<VppExit> {
    const { binary, cleanUp, log, now, startupConfig } = this.#options;
    checkFile(binary);
    checkFile(startupConfig);
    cleanUp();
    this.#output.rotate();
    const child = new Deno.Command("/bin/sh", {
      // The shell gives the log file as output and is then replaced by VPP, which so needs nobody
      // to read from it. The last word wins where VPP is told twice.
      args: [
        "-c",
        'log=$1; shift; exec "$@" >>"$log" 2>&1',
        "sh",
        this.#output.path,
        binary,
        "-c",
        this.#configuration(),
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
      // A signal to the agent's group, such as a terminal's, is not VPP's.
      detached: true,
    }).spawn();
    const startedAt = now();
    this.#record.write({ pid: child.pid, startedAt });
    const { exits, lastExit, starts } = this.#status;
    this.#status = {
      state: "running",
      pid: child.pid,
      startedAt,
      starts: starts + 1,
      exits,
      ...lastExit && { lastExit },
    };
    log.info("vpp started", { pid: child.pid, binary, config: startupConfig });
    child.unref();
    const stopped = aborted(this.#stop.signal);
    const trimming = setInterval(() => this.#output.trim(), TRIM_MS);
    const result = await Promise.race([child.status, stopped.promise]);
    clearInterval(trimming);
    stopped.release();
    if (result === undefined) return this.#exit({ code: null, signal: null }, startedAt);
    this.#record.remove();
    return this.#exit({ code: result.code, signal: result.signal }, startedAt);
  }

  /** VPP's own words, and that it stays in the foreground: else nobody could watch it. */
  #configuration(): string {
    const { directory, startupConfig } = this.#options;
    const path = `${directory}/vpp-startup.conf`;
    const text = Deno.readTextFileSync(startupConfig);
    Deno.writeTextFileSync(path, `${text}\n# Added by contiv agent.\nunix { nodaemon nosyslog }\n`);
    return path;
  }

  /** Watches a VPP that is no child of ours: how it ends shows in its output only. */
  async #adopt(pid: number, startedAt: number): Promise<VppExit> {
    const { starts, exits, lastExit } = this.#status;
    this.#status = { state: "adopted", pid, startedAt, starts, exits, ...lastExit && { lastExit } };
    this.#options.log.info("vpp adopted", { pid });
    await this.#until(() => Promise.resolve(!this.#record.isCurrent()));
    if (!this.#stop.signal.aborted) this.#record.remove();
    return this.#exit({ code: null, signal: null }, startedAt);
  }

  async #leaveAlone(): Promise<undefined> {
    const { starts, exits, lastExit } = this.#status;
    this.#status = { state: "foreign", starts, exits, ...lastExit && { lastExit } };
    this.#options.log.warn("vpp runs, started by somebody else; it is left alone");
    await this.#until(async () => !await this.#options.isServed());
    return undefined;
  }

  /** Looks from time to time, until something is so or the watch ends. */
  async #until(isSo: () => Promise<boolean>): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted && !await isSo()) {
      this.#output.trim();
      await sleep(this.#options.lookMs ?? 500, signal);
    }
  }

  #exit(
    how: { code: number | null; signal: string | null; problem?: string },
    startedAt: number,
  ): VppExit {
    const at = this.#options.now();
    return describeExit({ ...how, at, startedAt, lines: this.#output.last(LINES) });
  }

  #ended(exit: VppExit, delayMs: number): void {
    const { exits, starts } = this.#status;
    const nextStart = this.#options.now() + delayMs;
    this.#status = { state: "waiting", nextStart, starts, exits: exits + 1, lastExit: exit };
    const { reason, ranMs } = exit;
    this.#options.log.error("vpp ended", { reason, ranMs: Math.round(ranMs), againInMs: delayMs });
  }
}

function checkFile(path: string): void {
  try {
    if (Deno.statSync(path).isFile) return;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot start VPP: ${path}: ${why}, a file wanted`, { cause });
  }
  throw new Error(`Cannot start VPP: ${path} is no file, one wanted`);
}

/** A promise that is fulfilled when a signal is aborted, and what takes its listener back. */
function aborted(signal: AbortSignal): { promise: Promise<undefined>; release: () => void } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const done = (): void => resolve(undefined);
  if (signal.aborted) done();
  signal.addEventListener("abort", done, { once: true });
  return { promise, release: () => signal.removeEventListener("abort", done) };
}
