/** A container's network namespace that cannot be used. */
export class NamespaceError extends Error {
  override readonly name = "NamespaceError";
  /** `GONE`: nothing or another namespace is at its path; `INVALID`: no namespace at all. */
  readonly code: "GONE" | "INVALID";
  readonly path: string;

  constructor(code: "GONE" | "INVALID", path: string, found: string, options?: ErrorOptions) {
    super(
      `Cannot use network namespace ${JSON.stringify(path)}: ${found}, ` +
        `${code === "GONE" ? "the container's own" : "a network namespace"} wanted`,
      options,
    );
    this.code = code;
    this.path = path;
  }

  /** A namespace that is gone stays so. */
  get retryable(): boolean {
    return false;
  }
}
