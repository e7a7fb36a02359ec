import { run } from "./run_command.ts";

const MODULE = new URL("../cni_go/", import.meta.url).pathname;
/** Paths of Go packages, built from the versions that the module pins. */
const PROGRAMS = [
  ".",
  "github.com/containernetworking/cni/cnitool",
  "github.com/containernetworking/plugins/plugins/meta/bandwidth",
  "github.com/containernetworking/plugins/plugins/meta/portmap",
  "github.com/containernetworking/plugins/plugins/meta/tuning",
];

/** Programs in Go that speak CNI: a driver of libcni, cnitool, and plugins to chain. */
export type CniTools =
  | { readonly directory: string; readonly missing?: undefined }
  | { readonly directory?: undefined; readonly missing: string };

/**
 * Builds the programs into a directory among the user's caches, where a second build finds them and
 * has nothing to do. Where there is no Go, or its modules cannot be had, it says so; a program that
 * does not compile is an error.
 */
export async function buildCniTools(): Promise<CniTools> {
  // The machine's own Go.
  const options = { cwd: MODULE, env: { GOTOOLCHAIN: "local", GOFLAGS: "-buildvcs=false" } };
  try {
    const got = await run("go", ["mod", "download"], {
      ...options,
      check: false,
      limitMs: 120_000,
    });
    if (got.code !== 0) return { missing: `Go's modules: ${got.stderr.trim().split("\n").at(-1)}` };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { missing: "Go" };
    throw error;
  }
  const directory = `${cacheHome()}/contiv-tests/cni-tools`;
  Deno.mkdirSync(directory, { recursive: true });
  await run("go", ["build", "-o", directory, ...PROGRAMS], { ...options, limitMs: 300_000 });
  return { directory };
}

/** As the XDG Base Directory Specification says. */
function cacheHome(): string {
  return Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME") || "/tmp"}/.cache`;
}
