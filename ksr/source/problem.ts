/** Something in the source that cannot be used. */
export interface Problem {
  /** What it is in: an object's id, or a file. */
  readonly subject: string;
  /** Where in it, the wrong value, and what is wanted. */
  readonly message: string;
}
