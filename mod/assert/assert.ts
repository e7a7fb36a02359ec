import nodeAssert from "node:assert/strict";

// deno-lint-ignore no-explicit-any -- a class with any constructor, as deno std's assertThrows takes
type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

/**
 * For node:assert, whose types (of the version that grpc-js brings along) want a message to be there
 * or its argument to be absent; `undefined` has always meant the same.
 */
function given(message: string | undefined): string {
  return message as string;
}

/** Fails unless the condition holds. */
export function assert(condition: unknown, message?: string): asserts condition {
  nodeAssert(condition, given(message));
}

/** Fails unless both are deeply and strictly equal. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.deepStrictEqual(actual, expected, given(message));
}

/** Fails if both are deeply and strictly equal. */
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.notDeepStrictEqual(actual, expected, given(message));
}

/** Fails unless both are the same value. */
export function assertStrictEquals<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.strictEqual(actual, expected, given(message));
}

/** Fails unless the text matches. */
export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  nodeAssert.match(actual, expected, given(message));
}

/** Fails unless the text holds the other. */
export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  nodeAssert(
    actual.includes(expected),
    message ?? `Expected ${JSON.stringify(expected)} in ${JSON.stringify(actual)}`,
  );
}

function checkError<E extends Error>(
  error: unknown,
  errorClass?: ErrorClass<E>,
  includes?: string,
): E {
  nodeAssert(error instanceof Error, `Expected an Error, got ${String(error)}`);
  if (errorClass) {
    nodeAssert(
      error instanceof errorClass,
      `Expected ${errorClass.name}, got ${error.name}: ${error.stack}`,
    );
  }
  if (includes !== undefined) assertStringIncludes(error.message, includes);
  return error as E;
}

/** Fails unless the function throws an error of the class; gives the error. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClass?: ErrorClass<E>,
  includes?: string,
): E {
  try {
    fn();
  } catch (error) {
    return checkError(error, errorClass, includes);
  }
  throw new nodeAssert.AssertionError({ message: "Expected an error, none was thrown" });
}

/** Fails unless the promise rejects with an error of the class; gives the error. */
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass?: ErrorClass<E>,
  includes?: string,
): Promise<E> {
  try {
    await fn();
  } catch (error) {
    return checkError(error, errorClass, includes);
  }
  throw new nodeAssert.AssertionError({ message: "Expected a rejection, there was none" });
}
