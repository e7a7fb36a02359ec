/** The error codes of the CNI specification 1.1.0, section 5; 100 and up are a plugin's own. */
export const CniErrorCode = {
  INCOMPATIBLE_VERSION: 1,
  UNSUPPORTED_FIELD: 2,
  UNKNOWN_CONTAINER: 3,
  INVALID_ENVIRONMENT: 4,
  IO_FAILURE: 5,
  DECODING_FAILURE: 6,
  INVALID_NETWORK_CONFIG: 7,
  TRY_AGAIN_LATER: 11,
  /** STATUS: ADD cannot be served. */
  NOT_AVAILABLE: 50,
  /** STATUS: ADD cannot be served, and existing containers may have limited connectivity. */
  LIMITED_CONNECTIVITY: 51,
  /** Ours: whatever the specification has no code for. */
  INTERNAL: 999,
} as const;

/** An error that a runtime gets to see. */
export class CniError extends Error {
  override readonly name = "CniError";
  /** One of {@link CniErrorCode}, or above 99. */
  readonly code: number;
  /** The long form, if there is more to say than the message does. */
  readonly details: string;

  constructor(code: number, message: string, details?: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details ?? "";
  }

  /** Whether the runtime should repeat the command. */
  get retryable(): boolean {
    return this.code === CniErrorCode.TRY_AGAIN_LATER;
  }
}

/** The JSON that stands on standard output when a command fails (CNI 1.1.0, 5, Error). */
export function formatCniError(version: string, error: CniError): string {
  const { code, message, details } = error;
  const shape = { cniVersion: version, code, msg: message, ...details !== "" && { details } };
  return JSON.stringify(shape) + "\n";
}
