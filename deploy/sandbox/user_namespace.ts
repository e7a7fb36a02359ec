/**
 * Tells a sandbox command that it was run again in a user namespace, and where sandboxes are kept:
 * inside, an ordinary user looks like root.
 */
export const SANDBOX_DIRECTORY = "CONTIV_SANDBOX_DIR";

/** Settings of the system that can forbid user namespaces, and the values that do not. */
const SETTINGS: readonly {
  readonly file: string;
  readonly name: string;
  readonly forbids: (value: string) => boolean;
  readonly remedy: string;
}[] = [
  {
    file: "/proc/sys/kernel/unprivileged_userns_clone",
    name: "kernel.unprivileged_userns_clone",
    forbids: (value) => value === "0",
    remedy: "sysctl kernel.unprivileged_userns_clone=1",
  },
  {
    file: "/proc/sys/user/max_user_namespaces",
    name: "user.max_user_namespaces",
    forbids: (value) => value === "0",
    remedy: "sysctl user.max_user_namespaces=10000",
  },
  {
    file: "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    name: "kernel.apparmor_restrict_unprivileged_userns",
    forbids: (value) => value !== "0",
    remedy:
      "sysctl kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile for Deno",
  },
];

/**
 * The words before a command that is to run with rights in a new user namespace (unshare(1)). Its
 * network namespace is new too: into one that belongs to the host there is no way back.
 */
const ENTER_NEW = ["unshare", "--user", "--map-root-user", "--mount", "--net"];

/** The same for the user and mount namespaces of a process. */
function enter(pid: number): readonly string[] {
  return ["nsenter", `--target=${pid}`, "--user", "--mount", "--preserve-credentials"]
    .concat("unshare", "--net");
}

/** Why this process cannot have a user namespace, found by trying; `undefined` if it can. */
export async function tryUserNamespace(): Promise<string | undefined> {
  const [program = "", ...args] = ENTER_NEW;
  try {
    const { success, stderr } = await new Deno.Command(program, {
      // What an AppArmor restriction lets through has no rights: a mount shows it.
      args: [...args, "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (success) return undefined;
    const said = new TextDecoder().decode(stderr).trim().split("\n").at(-1) ?? "";
    return userNamespaceRefusal(said, readSetting);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return userNamespaceRefusal("unshare is missing, it is in util-linux", () => undefined);
  }
}

/**
 * Says which setting forbids user namespaces, or else what the attempt said.
 * @param read gives a setting's text, or `undefined` where the kernel lacks it
 */
export function userNamespaceRefusal(
  said: string,
  read: (file: string) => string | undefined,
): string {
  const causes = SETTINGS.flatMap(({ file, name, forbids, remedy }) => {
    const value = read(file)?.trim();
    return value !== undefined && forbids(value) ? [`${name} is ${value}: ${remedy}`] : [];
  });
  const cause = causes.length > 0 ? causes.join("; ") : said;
  return `a user namespace, as an ordinary user has it: ${cause}`;
}

function readSetting(file: string): string | undefined {
  try {
    return Deno.readTextFileSync(file);
  } catch {
    return undefined;
  }
}

export interface UserNamespaceRun {
  readonly command: readonly string[];
  /** Where sandboxes are kept. */
  readonly directory: string;
  /** A process whose user and mount namespaces are entered; without one, new ones are made. */
  readonly holder: number | undefined;
  readonly signal: AbortSignal;
}

/**
 * Runs a command with this process's terminal and root's rights in a user namespace.
 * @returns its exit code
 */
export async function runInUserNamespace(
  { command, directory, holder, signal }: UserNamespaceRun,
): Promise<number> {
  const [program = "", ...args] = [...holder === undefined ? ENTER_NEW : enter(holder), ...command];
  const child = new Deno.Command(program, {
    args,
    env: { [SANDBOX_DIRECTORY]: directory },
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  const pass = (): void => child.kill("SIGINT");
  signal.addEventListener("abort", pass, { once: true });
  const { code } = await child.status;
  signal.removeEventListener("abort", pass);
  return code;
}
