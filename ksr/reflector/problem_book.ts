import type { Problem } from "../source/mod.ts";

/** Subjects whose problems are kept in words; more are only counted. */
const MAX_KEPT = 100;
/** Problems of one subject that are kept in words. */
const MAX_OF_SUBJECT = 10;

/** The problems that stand, by what they are in. */
export class ProblemBook {
  readonly #subjects = new Map<string, string[]>();

  /** Subjects with problems. */
  get count(): number {
    return this.#subjects.size;
  }

  add({ subject, message }: Problem): void {
    const messages = this.#subjects.get(subject);
    if (messages === undefined) {
      this.#subjects.set(subject, this.#subjects.size < MAX_KEPT ? [message] : []);
    } else if (messages.length > 0 && messages.length < MAX_OF_SUBJECT) messages.push(message);
  }

  clear(subject: string): void {
    this.#subjects.delete(subject);
  }

  /** Those that are kept in words. */
  list(): Problem[] {
    return Array.from(
      this.#subjects,
      ([subject, messages]) => messages.map((message) => ({ subject, message })),
    ).flat();
  }
}
