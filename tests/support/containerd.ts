import { startTime } from "../../deploy/sandbox/role_process.ts";
import { run, type RunOptions } from "./run_command.ts";
import { until } from "./until.ts";

/** How the runtime finds its plugin. */
export interface ContainerdOptions {
  /** A directory of the test's own, for root, state and socket. */
  readonly directory: string;
  /** Path of the network namespace that the runtime lives in. */
  readonly netns: string;
  /** Files of /etc/cni/net.d. */
  readonly config: Readonly<Record<string, string>>;
  /** Executable scripts of /opt/cni/bin. */
  readonly plugins: Readonly<Record<string, string>>;
}

const IMAGE = "contiv.test/busybox:latest";

/**
 * A containerd of the test's own, in its own mount namespace, so that the machine's /etc/cni and
 * /opt/cni stay as they are. Containers are run by `ctr run --cni`.
 */
export class Containerd implements AsyncDisposable {
  readonly #directory: string;
  readonly #pid: number;
  readonly #startTime: string;
  readonly #child: Deno.ChildProcess;
  readonly #containers = new Map<string, Deno.ChildProcess>();

  private constructor(directory: string, child: Deno.ChildProcess, start: string) {
    this.#directory = directory;
    this.#child = child;
    this.#pid = child.pid;
    this.#startTime = start;
  }

  static async start(options: ContainerdOptions): Promise<Containerd> {
    const { directory } = options;
    const write = (path: string, text: string, mode: number): void => {
      Deno.mkdirSync(path.replace(/\/[^/]*$/, ""), { recursive: true });
      Deno.writeTextFileSync(path, text, { mode });
    };
    for (const [name, text] of Object.entries(options.config)) {
      write(`${directory}/cni/net.d/${name}`, text, 0o644);
    }
    for (const [name, text] of Object.entries(options.plugins)) {
      write(`${directory}/opt/cni/bin/${name}`, text, 0o755);
    }
    write(
      `${directory}/config.toml`,
      `version = 2
root = "${directory}/root"
state = "${directory}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "${directory}/containerd.sock"
[ttrpc]
  address = "${directory}/containerd.ttrpc.sock"
`,
      0o644,
    );
    // /etc is overlaid, as it may have no cni directory to mount on; /opt is replaced.
    const script = `set -e
mount -t tmpfs tmpfs ${directory}/etc-overlay
mkdir ${directory}/etc-overlay/upper ${directory}/etc-overlay/work
mount -t overlay overlay -o lowerdir=/etc,upperdir=${directory}/etc-overlay/upper,workdir=${directory}/etc-overlay/work /etc
mkdir -p /etc/cni
rm -rf /etc/cni/net.d
cp -r ${directory}/cni/net.d /etc/cni/net.d
mount --bind ${directory}/opt /opt
exec containerd --config ${directory}/config.toml >>${directory}/containerd.log 2>&1
`;
    Deno.mkdirSync(`${directory}/etc-overlay`, { recursive: true });
    const child = new Deno.Command("nsenter", {
      args: [`--net=${options.netns}`, "unshare", "--mount", "--propagation", "private"]
        .concat("sh", "-c", script),
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const containerd = new Containerd(directory, child, startTime(child.pid) ?? "");
    try {
      await until("containerd answers", async () => {
        const { code } = await containerd.tryCtr(["version"]);
        return code === 0;
      }, 20_000);
      await containerd.#importImage();
    } catch (error) {
      await containerd[Symbol.asyncDispose]();
      throw error;
    }
    return containerd;
  }

  /** Runs `ctr` in the runtime's namespaces. */
  async ctr(args: readonly string[], options?: RunOptions): Promise<string> {
    return (await run("nsenter", this.#ctrArgs(args), options)).stdout;
  }

  /** Like {@link ctr}, with failure as a result. */
  tryCtr(args: readonly string[]): ReturnType<typeof run> {
    return run("nsenter", this.#ctrArgs(args), { check: false });
  }

  /** Starts a container with `ctr run --rm --cni` and waits until its program runs. */
  async start(id: string): Promise<void> {
    const child = new Deno.Command("nsenter", {
      args: this.#ctrArgs(["run", "--rm", "--cni", IMAGE, id, "/bin/sh", "-c"])
        .concat("echo up; exec sleep 3600"),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#containers.set(id, child);
    // The program starts only after the plugin has answered.
    const reader = child.stdout.getReader();
    const limit = setTimeout(() => child.kill("SIGKILL"), 60_000);
    const first = await reader.read();
    clearTimeout(limit);
    reader.releaseLock();
    const text = new TextDecoder().decode(first.value);
    if (!text.startsWith("up")) {
      const { stderr } = await child.output();
      throw new Error(`Cannot run container ${id}: ${text} ${new TextDecoder().decode(stderr)}`);
    }
    child.stdout.cancel();
    child.stderr.cancel();
  }

  /** Ends a container; `ctr run --rm --cni` then has the plugin undo the wiring. */
  async stop(id: string): Promise<void> {
    const child = this.#containers.get(id);
    await this.ctr(["task", "kill", "--signal", "SIGKILL", id]);
    await child?.status;
    this.#containers.delete(id);
  }

  /** Runs a shell command line in a container. */
  exec(id: string, command: string): Promise<string> {
    const exec = `x${crypto.randomUUID().slice(0, 8)}`;
    return this.ctr(["task", "exec", "--exec-id", exec, id, "/bin/sh", "-c", command]);
  }

  /** The process ID of a container's first process. */
  async pid(id: string): Promise<number> {
    const line = (await this.ctr(["task", "list"])).split("\n")
      .find((row) => row.split(/\s+/)[0] === id);
    return Number(line?.split(/\s+/)[1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of [...this.#containers.keys()]) {
      await this.stop(id).catch(() => {});
    }
    if (startTime(this.#pid) === this.#startTime) this.#child.kill("SIGTERM");
    await this.#child.status;
  }

  #ctrArgs(args: readonly string[]): string[] {
    return [`--target=${this.#pid}`, "--mount", "--net", "ctr"]
      .concat("--address", `${this.#directory}/containerd.sock`, args);
  }

  /** An image whose one layer is Debian's static busybox, as an OCI archive. */
  async #importImage(): Promise<void> {
    const build = `${this.#directory}/image`;
    const blobs = `${build}/archive/blobs/sha256`;
    Deno.mkdirSync(`${build}/root/bin`, { recursive: true });
    Deno.mkdirSync(`${build}/root/tmp`, { recursive: true });
    Deno.mkdirSync(blobs, { recursive: true });
    Deno.copyFileSync("/bin/busybox", `${build}/root/bin/busybox`);
    for (const name of ["sh", "sleep", "ping", "ping6", "nc", "dd", "wc", "ip", "cat", "ls"]) {
      Deno.symlinkSync("busybox", `${build}/root/bin/${name}`);
    }
    await run("tar", ["-C", `${build}/root`, "-cf", `${build}/layer.tar`, "."]);
    const layer = await this.#blob(blobs, Deno.readFileSync(`${build}/layer.tar`));
    const json = (value: unknown): Uint8Array<ArrayBuffer> =>
      new TextEncoder().encode(JSON.stringify(value));
    const architecture = Deno.build.arch === "x86_64" ? "amd64" : "arm64";
    const config = await this.#blob(
      blobs,
      json({
        architecture,
        os: "linux",
        config: { Env: ["PATH=/bin"] },
        rootfs: { type: "layers", diff_ids: [layer.digest] },
      }),
    );
    const OCI = "application/vnd.oci.image";
    const manifest = await this.#blob(
      blobs,
      json({
        schemaVersion: 2,
        mediaType: `${OCI}.manifest.v1+json`,
        config: { mediaType: `${OCI}.config.v1+json`, ...config },
        layers: [{ mediaType: `${OCI}.layer.v1.tar`, ...layer }],
      }),
    );
    Deno.writeFileSync(
      `${build}/archive/index.json`,
      json({
        schemaVersion: 2,
        manifests: [{
          mediaType: `${OCI}.manifest.v1+json`,
          ...manifest,
          platform: { architecture, os: "linux" },
          annotations: {
            "io.containerd.image.name": IMAGE,
            "org.opencontainers.image.ref.name": "latest",
          },
        }],
      }),
    );
    Deno.writeFileSync(`${build}/archive/oci-layout`, json({ imageLayoutVersion: "1.0.0" }));
    await run("tar", ["-C", `${build}/archive`, "-cf", `${build}/image.tar`, "."]);
    await this.ctr(["images", "import", `${build}/image.tar`]);
  }

  async #blob(
    blobs: string,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<{ digest: string; size: number }> {
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    Deno.writeFileSync(`${blobs}/${hash}`, bytes);
    return { digest: `sha256:${hash}`, size: bytes.length };
  }
}
