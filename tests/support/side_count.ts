/** What became of the tests that ran on one data plane. */
export interface SideCount {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Steps of the tests that ran, passed or not. */
  readonly steps: number;
}

/**
 * Counts the tests of a JUnit report, as `deno test --junit-path` writes it, whose names say that
 * they ran on a data plane.
 *
 * @param title what the names end with, but for a reason in parentheses and a step
 */
export function countSide(report: string, title: string): SideCount {
  const count = { passed: 0, failed: 0, skipped: 0, steps: 0 };
  for (const [, name = "", body = ""] of report.matchAll(TEST_CASE)) {
    const [test = "", step] = name.split(" &gt; ", 2);
    if (!test.replace(/ \(skipped: [^)]*\)$/, "").endsWith(` ${title}`)) continue;
    if (step !== undefined) count.steps++;
    else if (body.includes("<skipped")) count.skipped++;
    else if (/<(failure|error)/.test(body)) count.failed++;
    else count.passed++;
  }
  return count;
}

const TEST_CASE = /<testcase name="([^"]*)"[^>]*>([\s\S]*?)<\/testcase>/g;
