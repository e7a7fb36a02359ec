/** What about libvppapiclient is not as wanted. */
export type VppLibraryCode = "missing_library" | "missing_symbol" | "bad_path";

/** libvppapiclient cannot be used on this machine. Another try finds the same. */
export class VppLibraryError extends Error {
  override readonly name = "VppLibraryError";
  readonly code: VppLibraryCode;
  /** The file or the symbol that is not there. */
  readonly subject: string;

  constructor(code: VppLibraryCode, subject: string, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.subject = subject;
  }

  /** Whether the same may succeed later: not without an installation. */
  get retryable(): boolean {
    return false;
  }
}

/** Why counters could not be read. */
export type VppStatsCode = "refused" | "timeout" | "unstable" | "closed";

/** VPP's counters cannot be read for now. */
export class VppStatsError extends Error {
  override readonly name = "VppStatsError";
  /** The library's function that failed. */
  readonly operation: string;
  readonly code: VppStatsCode;

  constructor(operation: string, code: VppStatsCode, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.operation = operation;
    this.code = code;
  }

  /** Whether a later read may succeed; only a client closed by its owner stays so. */
  get retryable(): boolean {
    return this.code !== "closed";
  }
}
