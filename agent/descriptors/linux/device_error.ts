/** A device in a container's namespace that is not what an item needs. */
export class DeviceError extends Error {
  override readonly name = "DeviceError";
  readonly code: "MISSING" | "FOREIGN";

  constructor(code: "MISSING" | "FOREIGN", device: string, path: string) {
    super(
      `Cannot use interface ${device} in ${path}: ` +
        (code === "MISSING"
          ? "it does not exist, the attachment's own wanted"
          : "it belongs to somebody else, a free name wanted"),
    );
    this.code = code;
  }

  get retryable(): boolean {
    return this.code === "MISSING";
  }
}
