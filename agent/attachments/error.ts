/** What an {@link AttachmentStoreError} was raised for. */
export type AttachmentStoreCode = "OPEN" | "NEWER_SCHEMA" | "CORRUPT" | "WRITE";

/** The agent's own state cannot be opened, read or written. */
export class AttachmentStoreError extends Error {
  override readonly name = "AttachmentStoreError";
  readonly code: AttachmentStoreCode;

  constructor(code: AttachmentStoreCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Whether the same call may succeed later: a disk may get room again. */
  get retryable(): boolean {
    return this.code === "WRITE";
  }
}
