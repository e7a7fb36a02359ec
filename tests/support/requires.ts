import { missingPackages } from "./packages.ts";

/** Why a test that makes namespaces cannot run here, or `undefined`. */
function missing(): string | undefined {
  if (Deno.uid() !== 0) return "it needs root";
  const packages = missingPackages();
  return packages.length === 0 ? undefined : `it needs the packages ${packages.join(", ")}`;
}

const reason = missing();

/**
 * A test on real namespaces and processes. Where the machine lacks the rights or packages for it,
 * it is counted as skipped and its name says why.
 */
export function systemTest(name: string, fn: (t: Deno.TestContext) => Promise<void>): void {
  Deno.test({
    name: reason === undefined ? name : `${name} (skipped: ${reason})`,
    ignore: reason !== undefined,
    fn,
  });
}
