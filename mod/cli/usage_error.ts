/** A command line that cannot be understood; its message names the word. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
