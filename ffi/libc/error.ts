import { errnoCode, errnoText, isTransient } from "./constants/errno.ts";

/** A C library call that failed. */
export class LibcError extends Error {
  override readonly name = "LibcError";
  /** The C function, such as `setns`. */
  readonly operation: string;
  /** The error number; 0 where a call on another thread could not report it. */
  readonly errno: number;
  /** Its symbolic name, such as `ENOENT`. */
  readonly code: string;
  /** What was operated on: a path or an interface's name. */
  readonly subject?: string;

  /**
   * @param action what could not be done, as in "Cannot <action>": a verb and its thing
   */
  constructor(
    action: string,
    operation: string,
    errno: number,
    subject?: string,
    options?: ErrorOptions,
  ) {
    const thing = subject === undefined ? "" : ` ${JSON.stringify(subject)}`;
    super(
      `Cannot ${action}${thing}: ${errnoText(errno)} (${errnoCode(errno)} from ${operation})`,
      options,
    );
    this.operation = operation;
    this.errno = errno;
    this.code = errnoCode(errno);
    if (subject !== undefined) this.subject = subject;
  }

  /** Whether the same call may succeed when it is simply made again. */
  get retryable(): boolean {
    return isTransient(this.errno);
  }
}
