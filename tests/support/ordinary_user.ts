import { run, type RunResult } from "./run_command.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
/** Of Debian's `nobody`: an ID without rights, and without a user behind it on other systems. */
const ID = "65534";
/** What `contiv` is made of. */
const TREE = ["agent", "cni", "deploy", "ffi", "ksr", "mod", "main.ts", "deno.json", "deno.lock"];

async function npmCache(): Promise<string> {
  const { stdout } = await run(Deno.execPath(), ["info", "--json"]);
  return (JSON.parse(stdout) as { npmCache: string }).npmCache;
}

/** How /dev/net/tun is for the user. */
export type TunDevice = "open to all" | "closed";

/**
 * Somebody without rights who has the tree, a Deno that has its packages and nothing else in its
 * cache, and directories of their own. Made by root in a temporary directory.
 */
export class OrdinaryUser implements AsyncDisposable {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async make(tun: TunDevice): Promise<OrdinaryUser> {
    const directory = Deno.makeTempDirSync({ prefix: "contiv-user-" });
    const user = new OrdinaryUser(directory);
    try {
      for (const name of ["home", "cache", "run", "tree"]) Deno.mkdirSync(`${directory}/${name}`);
      await run("cp", ["-r", ...TREE.map((name) => ROOT + name), `${directory}/tree`]);
      Deno.copyFileSync(Deno.execPath(), `${directory}/deno`);
      // What ours has loaded from npm: how it is reached from here is not this user's business.
      await run("cp", ["-r", await npmCache(), `${directory}/cache/npm`]);
      await run("chown", ["-R", `${ID}:${ID}`, directory]);
      await run("mknod", [`${directory}/tun`, "c", "10", "200"]);
      Deno.chmodSync(`${directory}/tun`, tun === "closed" ? 0o600 : 0o666);
      return user;
    } catch (error) {
      await user[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs `contiv` as this user. */
  contiv(...args: string[]): Promise<RunResult> {
    const directory = this.#directory;
    // The machine's device stays as it is: this is seen in a mount namespace of its own.
    const script = 'mount --bind "$1" /dev/net/tun && shift && exec "$@"';
    return run(
      "unshare",
      ["--mount", "sh", "-c", script, "sh", `${directory}/tun`]
        .concat("setpriv", `--reuid=${ID}`, `--regid=${ID}`, "--clear-groups")
        .concat("--bounding-set=-all", "--inh-caps=-all", "--", "env", "-i")
        .concat(`PATH=${Deno.env.get("PATH")}`, `HOME=${directory}/home`)
        .concat(`XDG_RUNTIME_DIR=${directory}/run`, `DENO_DIR=${directory}/cache`)
        .concat(`${directory}/deno`, "run", "--quiet", "--allow-all", `${directory}/tree/main.ts`)
        .concat(args),
      { check: false, limitMs: 90_000 },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#directory, { recursive: true });
  }
}
