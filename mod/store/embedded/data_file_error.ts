/** What a {@link DataFileError} was raised for. */
export type DataFileCode = "OPEN" | "HELD" | "FOREIGN" | "NEWER" | "CORRUPT" | "FLUSH";

/** The store's file cannot be used. */
export class DataFileError extends Error {
  override readonly name = "DataFileError";
  readonly code: DataFileCode;

  constructor(code: DataFileCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Whether the same may succeed later: the other process may end. */
  get retryable(): boolean {
    return this.code === "HELD";
  }
}
