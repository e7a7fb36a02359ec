/** What holds for the whole tree: the gate's static parts and who may import whom. */
import { assertEquals } from "@contiv/assert";

const ROOT = new URL("../", import.meta.url).pathname;

async function deno(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT })
    .output();
  const text = new TextDecoder().decode(code === 0 ? stdout : stderr);
  assertEquals(code, 0, `deno ${args.join(" ")} ended with ${code}:\n${text}`);
  return text;
}

Deno.test("every file is formatted", async () => {
  await deno("fmt", "--check", "--quiet");
});

Deno.test("every file passes the linter", async () => {
  await deno("lint", "--quiet");
});

Deno.test("everything reachable from main.ts and the tests type-checks", async () => {
  await deno("check", "--quiet", ".");
});

const ROLES = ["agent", "cni", "deploy", "ksr", "stn"];

/** Files that must stay free of Deno, clocks, randomness and FFI. */
const PURE = [
  "agent/ctl/doctor/",
  "deploy/sandbox/workloads/",
  "mod/cni_spec/",
  "mod/kubernetes/",
  "mod/model/",
  "mod/net/",
  "mod/store/embedded/wire/",
  "agent/features/",
  "agent/ipam/",
  "agent/vpp_config/buffer_pages.ts",
  "agent/vpp_config/missing_prerequisites.ts",
  "agent/vpp_config/parse_startup_config.ts",
  "agent/vpp_config/sizes.ts",
  "agent/vpp_config/startup_config.ts",
  "agent/vpp_config/startup_sections.ts",
  "agent/vpp_config/threads.ts",
  "agent/vswitch/core/",
  "mod/vppapi/_adapt.ts",
  "mod/vppapi/_gaps.ts",
  "mod/vppapi/api_files.ts",
  "mod/vppapi/layout_choice.ts",
  "ffi/libc/netlink/message.ts",
  "ffi/libc/netlink/attribute.ts",
];

function sources(directory = ""): string[] {
  return [...Deno.readDirSync(ROOT + directory)].flatMap((entry) => {
    if (entry.name.startsWith(".") || entry.name === "node_modules") return [];
    const path = directory + entry.name;
    if (entry.isDirectory) return sources(`${path}/`);
    return path.endsWith(".ts") ? [path] : [];
  }).sort();
}

function isTest(path: string): boolean {
  return path.startsWith("tests/") || /(_test|_bench|testing)\.ts$|\/_?fake_\w+\.ts$/.test(path);
}

interface Import {
  readonly from: string;
  /** A path in the tree, or the specifier of a dependency. */
  readonly to: string;
}

function importsOf(path: string, aliases: ReadonlyMap<string, string>): Import[] {
  const text = Deno.readTextFileSync(ROOT + path);
  const pattern = /(?:from|import)\s*\(?\s*"([^"]+)"/g;
  return Array.from(text.matchAll(pattern), ([, specifier = ""]) => {
    if (specifier.startsWith(".")) {
      return { from: path, to: new URL(specifier, `file:///${path}`).pathname.slice(1) };
    }
    return { from: path, to: aliases.get(specifier) ?? specifier };
  });
}

const config = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`)) as {
  imports: Record<string, string>;
};
const aliases = new Map(
  Object.entries(config.imports).map(([alias, to]) => [alias, to.replace(/^\.\//, "")]),
);
const files = sources();
const imports = files.flatMap((path) => importsOf(path, aliases));
const room = (path: string): string => path.split("/")[0] ?? "";

function violations(wrong: (edge: Import) => boolean): string[] {
  return imports.filter(wrong).map(({ from, to }) => `${from} imports ${to}`);
}

Deno.test("mod and ffi know no role", () => {
  assertEquals(
    violations(({ from, to }) =>
      ["mod", "ffi"].includes(room(from)) && !isTest(from) && ROLES.includes(room(to))
    ),
    [],
  );
});

Deno.test("mod does not reach for ffi", () => {
  assertEquals(violations(({ from, to }) => room(from) === "mod" && room(to) === "ffi"), []);
});

Deno.test("roles never import each other", () => {
  assertEquals(
    violations(({ from, to }) =>
      ROLES.includes(room(from)) && ROLES.includes(room(to)) && room(from) !== room(to)
    ),
    [],
  );
});

Deno.test("nothing outside agent/vswitch imports it, but main.ts", () => {
  assertEquals(
    violations(({ from, to }) =>
      to.startsWith("agent/vswitch/") && !from.startsWith("agent/vswitch/") &&
      from !== "main.ts" && !isTest(from)
    ),
    [],
  );
});

Deno.test("the agent speaks to the data plane by messages only: no test helper in its sources", () => {
  assertEquals(violations(({ from, to }) => !isTest(from) && isTest(to)), []);
});

Deno.test("every dependency has one alias in the import map, and none comes from JSR", () => {
  const direct = violations(({ to }) => /^(npm|jsr|https?):/.test(to) && !isAlias(to));
  assertEquals(direct, []);
  assertEquals(Object.values(config.imports).filter((to) => to.startsWith("jsr:")), []);
});

function isAlias(specifier: string): boolean {
  return Object.values(config.imports).includes(specifier);
}

Deno.test("pure rooms touch neither Deno, nor a clock, nor randomness, nor FFI", () => {
  const wrong: string[] = [];
  for (const path of files) {
    if (isTest(path) || !PURE.some((prefix) => path.startsWith(prefix))) continue;
    const code = Deno.readTextFileSync(ROOT + path)
      .replace(/\/\*[\s\S]*?\*\//g, "").replace(/\/\/.*$/gm, "");
    for (
      const [use] of code.matchAll(/\bDeno\.|\bDate\.now|\bMath\.random|\bcrypto\.|performance\./g)
    ) {
      wrong.push(`${path} uses ${use}`);
    }
  }
  assertEquals(wrong, []);
  assertEquals(
    violations(({ from, to }) =>
      !isTest(from) && PURE.some((prefix) => from.startsWith(prefix)) &&
      to.startsWith("ffi/") && !from.startsWith("ffi/")
    ),
    [],
  );
});

Deno.test("imports form no cycle", () => {
  const edges = new Map<string, string[]>();
  for (const { from, to } of imports) {
    if (to.endsWith(".ts")) edges.set(from, [...edges.get(from) ?? [], to]);
  }
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    assertEquals(at, -1, `Cycle: ${[...trail.slice(at), path].join(" -> ")}`);
    if (done.has(path)) return;
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
});
