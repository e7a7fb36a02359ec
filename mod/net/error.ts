/** An address, prefix or MAC address that cannot be read. */
export class AddressError extends Error {
  override readonly name = "AddressError";
  /** The text or bytes that were refused, as text. */
  readonly input: string;

  constructor(kind: string, input: string, wanted: string) {
    super(`Cannot read ${kind} ${JSON.stringify(input.slice(0, 80))}: wanted ${wanted}`);
    this.input = input;
  }
}
