/** The exit codes of every command; a command's README says when it uses which. */
export const ExitCode = {
  OK: 0,
  /** The work failed; standard error says why. */
  FAILURE: 1,
  /** The command line or the configuration is wrong. */
  USAGE: 2,
  /** Another process holds the role that this one wanted. */
  HELD: 3,
  /** A right, device or program of the machine is missing. */
  PREREQUISITE: 4,
} as const;

export type ExitCode = typeof ExitCode[keyof typeof ExitCode];
