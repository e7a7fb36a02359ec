import { run } from "../support/run_command.ts";

const SOURCE = new URL("apiserver_go/", import.meta.url).pathname;
/** Milliseconds; a machine of two cores takes half an hour when it has other work. */
const LIMIT_MS = 2 * 3_600_000;

/**
 * The path of a kube-apiserver built of `apiserver_go/`. It is built once for each state of that
 * module and kept in the user's cache, `$XDG_CACHE_HOME/contiv` or `~/.cache/contiv`.
 * @throws {Error} if Go is not there, or what the compiler says
 */
export async function buildApiserver(progress: (message: string) => void): Promise<string> {
  const files = ["go.mod", "go.sum", "main.go"].map((each) => Deno.readTextFileSync(SOURCE + each));
  const [module = ""] = files;
  const [, version] = /k8s\.io\/kubernetes (v\S+)/.exec(module) ?? [];
  if (version === undefined) throw new Error(`Cannot build: ${SOURCE}go.mod names no Kubernetes`);
  const bytes = new TextEncoder().encode(files.join("\0"));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  const directory = cacheDirectory();
  const path = `${directory}/kube-apiserver-${version}-${digest.slice(0, 12)}`;
  if (exists(path)) return path;
  Deno.mkdirSync(directory, { recursive: true });
  progress(`building kube-apiserver ${version}: minutes, and some 2 GB of Go's caches`);
  const half = `${path}.${Deno.pid}`;
  const linker = `-s -w -X k8s.io/component-base/version.gitVersion=${version}`;
  try {
    await run(goProgram(), ["build", "-trimpath", "-ldflags", linker, "-o", half, "."], {
      cwd: SOURCE,
      limitMs: LIMIT_MS,
    });
    Deno.renameSync(half, path);
  } finally {
    if (exists(half)) Deno.removeSync(half);
  }
  return path;
}

function cacheDirectory(): string {
  const cache = Deno.env.get("XDG_CACHE_HOME");
  if (cache) return `${cache}/contiv`;
  const home = Deno.env.get("HOME");
  if (home) return `${home}/.cache/contiv`;
  throw new Error("Cannot build: neither XDG_CACHE_HOME nor HOME is set, one of them wanted");
}

/** Go where it is installed from its own archive, else the one of the path. */
function goProgram(): string {
  const usual = "/usr/local/go/bin/go";
  return exists(usual) ? usual : "go";
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
