/**
 * Runs every test: installs the system packages they need where it may, runs the suites, tells how
 * many ran on each data plane, and ends with one line `N passed, N failed, N skipped`.
 */
import { installPackages } from "./support/packages.ts";
import { EMBEDDED, VPP } from "./support/requires.ts";
import { countSide } from "./support/side_count.ts";

const ROOT = new URL("../", import.meta.url).pathname;
const WANTED_DENO = "2.9.3";

/**
 * What makes namespaces, counts descriptors or crosses processes runs one file after the other: the
 * files of a parallel run share one process.
 */
const SUITES: readonly { name: string; args: readonly string[] }[] = [
  { name: "of what is shared", args: ["--parallel", "mod/", "cni/"] },
  { name: "of the roles and the C library", args: ["ffi/", "agent/", "deploy/", "ksr/"] },
  { name: "across processes", args: ["tests/"] },
];

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

/** Reads the last summary line of `deno test`, e.g. `ok | 3 passed (2 steps) | 0 failed | 1 ignored`. */
function readSummary(output: string): Count | undefined {
  const plain = output.replace(new RegExp(String.fromCharCode(27) + "\\[[0-9;]*m", "g"), "");
  const lines = plain.split("\n").filter((line) => /^(ok|FAILED) \| \d+ passed/.test(line));
  const last = lines.at(-1);
  if (last === undefined) return undefined;
  const number = (word: string): number =>
    Number(new RegExp(`(\\d+) ${word}`).exec(last)?.[1] ?? 0);
  return { passed: number("passed"), failed: number("failed"), skipped: number("ignored") };
}

async function runSuite(args: readonly string[], report: string): Promise<Count> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", "--no-check", `--junit-path=${report}`, ...args, ...Deno.args],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let output = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    Deno.stdout.writeSync(chunk);
    output = (output + decoder.decode(chunk, { stream: true })).slice(-20_000);
  }
  const { code } = await child.status;
  const count = readSummary(output) ?? { passed: 0, failed: 0, skipped: 0 };
  // A suite that broke off counts as a failure, whatever it printed before.
  if (code !== 0 && count.failed === 0) count.failed = 1;
  return count;
}

if (Deno.version.deno !== WANTED_DENO) {
  console.error(`Tests run on Deno ${WANTED_DENO}, this is ${Deno.version.deno}.`);
  Deno.exit(2);
}
await installPackages();
const total: Count = { passed: 0, failed: 0, skipped: 0 };
let report = "";
for (const { name, args } of SUITES) {
  console.log(`\n== Tests ${name}`);
  const file = Deno.makeTempFileSync({ prefix: "contiv-tests-", suffix: ".xml" });
  const count = await runSuite(args, file);
  report += Deno.readTextFileSync(file);
  Deno.removeSync(file);
  total.passed += count.passed;
  total.failed += count.failed;
  total.skipped += count.skipped;
}
console.log();
for (const side of [EMBEDDED, VPP]) {
  const { passed, failed, skipped, steps } = countSide(report, side);
  const of = `${passed} passed, ${failed} failed, ${skipped} skipped, with ${steps} steps`;
  console.log(`Tests ${side}: ${of}`);
}
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
Deno.exit(total.failed === 0 ? 0 : 1);
