/** A port that cannot be made. */
export class PortError extends Error {
  override readonly name = "PortError";
  /** What VPP answers in the same case (VPP: vnet/error.h). */
  readonly retval: number;

  constructor(retval: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.retval = retval;
  }
}
