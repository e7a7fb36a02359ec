/** One document of a manifest file. */
export interface Document {
  /** 1 is the first line of the file. */
  readonly line: number;
  readonly value: unknown;
}

/** A document that cannot be read. */
export interface BadDocument {
  readonly line: number;
  readonly reason: string;
}

export interface Documents {
  readonly good: readonly Document[];
  readonly bad: readonly BadDocument[];
}
