/** Error codes of our own, beside those of the CNI specification (1.1.0, section 5: 100 and up). */
export const AgentCniCode = {
  /** CHECK found a difference. */
  CHECK_FAILED: 100,
  /** ADD of an attachment that exists in another namespace. */
  ATTACHMENT_EXISTS: 101,
  /** No pod address is free. */
  ADDRESSES_EXHAUSTED: 102,
} as const;
