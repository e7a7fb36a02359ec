/** How a VPP ended. */
export interface VppExit {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** How long it had run, in milliseconds. */
  readonly ranMs: number;
  /** For people: `SIGSEGV at 0x...`, `exit code 1: main heap allocation failure`. */
  readonly reason: string;
  /** Its exit code; null if a signal ended it or nobody knows. */
  readonly code: number | null;
  /** The signal that it died of, if it did: `SIGSEGV`. */
  readonly signal: string | null;
  /** What it wrote last, oldest first. */
  readonly lines: readonly string[];
}

/** What is known of an end: by the kernel if it was a child's, and by the last lines. */
export interface ExitEvidence {
  readonly code: number | null;
  readonly signal: string | null;
  /** Why there was no process at all. */
  readonly problem?: string;
  readonly at: number;
  readonly startedAt: number;
  readonly lines: readonly string[];
}

/** VPP reports a signal itself before it aborts; vlib/unix/main.c, `unix_signal_handler`. */
const RECEIVED =
  /received signal (SIG\w+)(?:, PC (0x[0-9a-f]+))?(?:, faulting address (0x[0-9a-f]+))?/;
/** What VPP writes when it cannot start. */
const COMPLAINT =
  /main heap allocation failure.*|failed to open configuration file.*|.*unknown input.*|.*(?:cannot|can't|could not|failed) .*/i;
/** How the terminal's colours are switched. */
// deno-lint-ignore no-control-regex -- that is what these are
const COLOURS = /\u001b\[[0-9;]*m/g;

/**
 * Says how VPP ended. It catches a crash's signal, writes a line about it and aborts, so the line
 * tells of SIGSEGV where the kernel tells of SIGABRT.
 */
export function describeExit(evidence: ExitEvidence): VppExit {
  const { at, code, problem, startedAt } = evidence;
  const lines = evidence.lines.map((line) => line.replace(COLOURS, ""));
  const crash = lines.findLast((line) => RECEIVED.test(line));
  const [, received, pc, address] = RECEIVED.exec(crash ?? "") ?? [];
  const signal = received ?? evidence.signal;
  const ranMs = startedAt === 0 ? 0 : at - startedAt;
  const facts = { at, ranMs, code, signal, lines };
  if (problem !== undefined) return { ...facts, reason: problem };
  if (signal !== null) {
    const where = (pc === undefined ? "" : ` at ${pc}`) +
      (address === undefined ? "" : `, address ${address}`);
    return { ...facts, reason: `${signal}${where}` };
  }
  const complaint = lines.findLast((line) => COMPLAINT.test(line))?.trim();
  const end = code === null ? "it went away" : `exit code ${code}`;
  return { ...facts, reason: complaint === undefined ? end : `${end}: ${complaint}` };
}
