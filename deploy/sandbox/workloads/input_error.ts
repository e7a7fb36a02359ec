/** Manifests that cannot be taken as they are; nothing of them is. */
export class InputError extends Error {
  override readonly name = "InputError";

  /** @param problems a line each, with file, document and field */
  constructor(problems: readonly string[]) {
    super(`Cannot take these manifests, nothing is changed:\n  ${problems.join("\n  ")}`);
  }
}
