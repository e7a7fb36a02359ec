import type { Figure } from "./figure.ts";

export interface GroupOptions {
  /** Aborted by an interrupt: the group removes what it made and ends. */
  readonly signal: AbortSignal;
  /** How often each subject runs; the group's own number where undefined. */
  readonly rounds: number | undefined;
  /** Says what happens, for people. */
  readonly progress: (message: string) => void;
}

/** Figures that are measured together. */
export interface Group {
  readonly name: string;
  /** One line. */
  readonly help: string;
  readonly run: (options: GroupOptions) => Promise<readonly Figure[]>;
}
