/** Something that is wrong. */
export interface Finding {
  /** The part that it is about: `store`, `ksr`, a node, a pod. */
  readonly subject: string;
  /** What is so, as a sentence. */
  readonly problem: string;
  /** What to do, as a sentence. */
  readonly remedy: string;
}
