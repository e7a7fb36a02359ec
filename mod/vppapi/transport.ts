/**
 * Carries bytes between two ends in order. Knows no frames: what arrives may be cut anywhere.
 */
export interface Transport {
  /**
   * Sends bytes and resolves when the other end or the system has taken them all, so that an
   * awaiting sender feels backpressure. The bytes must not change until then. One call at a time.
   *
   * @throws {VppConnectionError} if the connection is lost or closed
   */
  send(bytes: Uint8Array): Promise<void>;
  /**
   * Starts delivering; called once. A chunk is valid during the call only. What `onBytes` throws
   * closes the transport and becomes the reason.
   */
  receive(onBytes: (chunk: Uint8Array) => void): void;
  /** Whether the other end is to be told before this one is closed. @default false */
  readonly farewell?: boolean;
  /** Closes this end; idempotent. */
  close(): void;
  /** Resolves when the connection has ended: with the cause if it was lost. */
  readonly closed: Promise<Error | undefined>;
}
