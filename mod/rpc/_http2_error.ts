/** HTTP/2 error codes (RFC 9113, 7). */
export const ErrorCode = {
  NONE: 0,
  PROTOCOL: 1,
  FLOW_CONTROL: 3,
  FRAME_SIZE: 6,
  REFUSED_STREAM: 7,
  COMPRESSION: 9,
  ENHANCE_YOUR_CALM: 11,
} as const;

/** A peer that breaks HTTP/2, so that its connection ends (RFC 9113, 5.4.1). */
export class Http2Error extends Error {
  override readonly name = "Http2Error";
  readonly code: number;

  /** @param found what the peer sent */
  constructor(code: number, found: string) {
    super(`Cannot go on: the peer sent ${found}`);
    this.code = code;
  }
}
