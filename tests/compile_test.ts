/** The single binary: all that is loaded by a path that the compiler cannot see is named to it. */
import { assert, assertEquals } from "@contiv/assert";
import { denoFlags, PRODUCTION, ROLE_PERMISSIONS } from "@contiv/permissions";
import { run } from "./support/run_command.ts";

const ROOT = new URL("../", import.meta.url).pathname;
const config = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`)) as {
  tasks: { compile: { command: string }; plugin: { command: string } };
};
const [program, ...words] = config.tasks.compile.command.split(" ");
const included = words.filter((_, i) => words[i - 1] === "--include").sort();

/** What hides a path from the compiler: `lazily` in main.ts, and a Worker's own file. */
const HIDDEN = /(?:lazily<.*?>\(|new Worker\(\s*new URL\()\s*"(\.[^"]+)"/g;

function hiddenPaths(directory = ""): string[] {
  return [...Deno.readDirSync(ROOT + directory)].flatMap((entry) => {
    const path = directory + entry.name;
    if (entry.isDirectory) {
      return /^(\.|node_modules|tests|docs)/.test(entry.name) ? [] : hiddenPaths(`${path}/`);
    }
    if (!entry.name.endsWith(".ts") || entry.name.endsWith("_test.ts")) return [];
    return Array.from(
      Deno.readTextFileSync(ROOT + path).matchAll(HIDDEN),
      ([, hidden = ""]) => new URL(hidden, `file:///${path}`).pathname.slice(1),
    );
  });
}

Deno.test("what is imported behind the compiler's back is included by name", () => {
  const hidden = [...new Set(hiddenPaths())].sort();
  assert(hidden.length >= 4, `found only ${hidden.join(", ")}`);
  assertEquals(included, hidden);
});

Deno.test("deno compile type-checks and embeds every role", async () => {
  assertEquals(program, "deno");
  const output = await Deno.makeTempDir();
  try {
    // The runtime's download may be closed; any program stands in for it, and the result, which
    // does not run then, is thrown away.
    const args = words.map((word) => word === "dist/contiv" ? `${output}/contiv` : word);
    const { stdout, stderr } = await run(Deno.execPath(), args, {
      env: { DENORT_BIN: Deno.execPath(), NO_COLOR: "1" },
      limitMs: 120_000,
    });
    for (const file of ["main.ts", "_plumber_worker.ts", "_call_agent.ts", "grpc-js/*"]) {
      assert((stdout + stderr).includes(file), `${file} is not embedded`);
    }
  } finally {
    await Deno.remove(output, { recursive: true });
  }
});

Deno.test("deno bundle makes one file that is the plugin", async () => {
  const output = await Deno.makeTempDir();
  try {
    const [name, ...args] = config.tasks.plugin.command.split(" ");
    assertEquals(name, "deno");
    const bundle = `${output}/contiv-cni.js`;
    const words = args.map((word) => word === "dist/contiv-cni.js" ? bundle : word);
    await run("env", [`--chdir=${ROOT}`, Deno.execPath(), ...words], { limitMs: 120_000 });
    const production = denoFlags(ROLE_PERMISSIONS.cni(PRODUCTION.cni));
    const { stdout } = await run(
      Deno.execPath(),
      ["run", "--quiet", "--no-config", ...production, bundle],
      {
        env: { CNI_COMMAND: "VERSION" },
        stdin: JSON.stringify({ cniVersion: "1.1.0", name: "contiv", type: "contiv" }),
      },
    );
    assertEquals(JSON.parse(stdout).supportedVersions, ["0.3.1", "0.4.0", "1.0.0", "1.1.0"]);
  } finally {
    await Deno.remove(output, { recursive: true });
  }
});
