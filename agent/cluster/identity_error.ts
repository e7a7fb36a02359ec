/** Why a node has no ID. */
export class IdentityError extends Error {
  override readonly name = "IdentityError";
  readonly code: "CONFLICT" | "EXHAUSTED";

  constructor(code: "CONFLICT" | "EXHAUSTED", message: string) {
    super(message);
    this.code = code;
  }
}
