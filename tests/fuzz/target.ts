/** A parser of octets that come from outside, made ready to be fuzzed. */
export interface FuzzTarget {
  readonly name: string;
  /** What input there is to begin with: small, and each reaching another part of the parser. */
  corpus(): readonly Uint8Array[];
  /** Texts that mean something to the parser, for mutations. */
  readonly dictionary?: readonly string[];
  /** Of the inputs asked for, the part that is taken: for what does not only parse. @default 1 */
  readonly share?: number;
  start(): FuzzSubject | Promise<FuzzSubject>;
}

/** The parser under test. */
export interface FuzzSubject {
  /**
   * Takes one input.
   * @returns whether it could be read; refusing is as right
   * @throws {Error} for what must not happen
   */
  take(input: Uint8Array): boolean | Promise<boolean>;
  /** Called now and then: whether it still serves others, and its tables are bounded. */
  check?(): void | Promise<void>;
  close?(): void | Promise<void>;
}

/** Longest text of an error: it may quote the input, not repeat it. */
const MAX_MESSAGE = 2_000;

type ErrorClass = new (...args: never[]) => Error;

/**
 * Whether the work could be done, or was refused as the parser's users are promised: by an error of
 * its boundary that says in words what was wrong.
 */
export function readOrRefused(work: () => void, ...refusals: readonly ErrorClass[]): boolean {
  try {
    work();
    return true;
  } catch (error) {
    requireRefusal(error, ...refusals);
    return false;
  }
}

/** @throws {unknown} the error itself, unless it is a refusal */
function requireRefusal(error: unknown, ...refusals: readonly ErrorClass[]): void {
  if (!(error instanceof Error) || !refusals.some((each) => error instanceof each)) throw error;
  const { message } = error;
  const saysWhat = message.trim().split(/\s+/).length >= 3;
  if (saysWhat && message.length <= MAX_MESSAGE) return;
  throw new Error(
    `Cannot tell the input's fault from the error: ${message.length} characters, 3 words to ` +
      `${MAX_MESSAGE} characters wanted: ${message.slice(0, 100)}`,
    { cause: error },
  );
}
