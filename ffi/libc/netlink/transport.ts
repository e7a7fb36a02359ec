/**
 * What carries netlink messages: the kernel's socket, or a script in tests. One datagram in, one
 * or more messages out.
 */
export interface NetlinkTransport {
  /**
   * Sends a request. The kernel acts on it before this returns.
   * @throws {LibcError}
   */
  send(message: Uint8Array<ArrayBuffer>): void;

  /**
   * Sends a request from another thread, for those that take the kernel long. The message must not
   * change until the promise settles.
   * @throws {LibcError} without an error number, which stays on the other thread
   */
  sendAsync(message: Uint8Array<ArrayBuffer>): Promise<void>;

  /**
   * Waits, with a limit, for a datagram.
   * @returns it in place: valid until the next call
   * @throws {LibcError} EAGAIN when the limit has passed, ENOBUFS when answers were lost
   */
  receive(): Uint8Array;

  /** Idempotent. */
  close(): void;
}
