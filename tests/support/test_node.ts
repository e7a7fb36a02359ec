import { Libc } from "@contiv/libc";
import { readStatus } from "../../deploy/sandbox/agent_status.ts";
import { type CniCall, type CniExit, invokeCni } from "../../deploy/sandbox/cni_plugin.ts";
import type { DataPlaneChoice } from "../../deploy/sandbox/data_plane.ts";
import { isRunning } from "../../deploy/sandbox/role_process.ts";
import { Sandbox } from "../../deploy/sandbox/sandbox.ts";
import { type PodRecord, type ProcessRecord, SandboxState } from "../../deploy/sandbox/state.ts";
import { run, type RunOptions, type RunResult } from "./run_command.ts";
import { until } from "./until.ts";

let counter = 0;

/** A node of real processes in namespaces of the test's own; all of it goes with the test. */
export class TestNode implements AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly directory: string;
  readonly libc: Libc;

  private constructor(sandbox: Sandbox, directory: string, libc: Libc) {
    this.sandbox = sandbox;
    this.directory = directory;
    this.libc = libc;
  }

  static async start(dataPlane: DataPlaneChoice = { kind: "embedded" }): Promise<TestNode> {
    const libc = Libc.open();
    const directory = Deno.makeTempDirSync({ prefix: "contiv-test-" });
    const name = `t${Deno.pid}-${counter++}`;
    try {
      const state = new SandboxState(`${directory}/sandbox`);
      const signal = AbortSignal.timeout(60_000);
      const options = { name, dataPlane, progress: () => {}, signal };
      const sandbox = await Sandbox.create(libc, state, options);
      return new TestNode(sandbox, directory, libc);
    } catch (error) {
      Deno.removeSync(directory, { recursive: true });
      libc.close();
      throw error;
    }
  }

  /** The process of a role. */
  process(role: ProcessRecord["role"]): ProcessRecord {
    const found = this.sandbox.record.node.processes.find((process) => process.role === role);
    if (found === undefined) throw new Error(`Cannot find ${role}: it was never started`);
    return found;
  }

  signal(role: ProcessRecord["role"], signal: Deno.Signal): void {
    Deno.kill(this.process(role).pid, signal);
  }

  /** `kill -9`, and waits until the process is gone. */
  async kill(role: ProcessRecord["role"]): Promise<void> {
    const process = this.process(role);
    Deno.kill(process.pid, "SIGKILL");
    await until(`${role} is gone`, () => !isRunning(process));
  }

  /** Starts a role again and waits until the node is ready. */
  async restart(role: ProcessRecord["role"]): Promise<void> {
    this.sandbox.start(role);
    await this.sandbox.untilReady(AbortSignal.timeout(30_000));
  }

  /** The file of the agent's configuration. */
  get agentConfig(): string {
    return `${this.directory}/sandbox/node1/agent.json`;
  }

  /** Changes keys of the agent's configuration, for its next start. */
  changeAgentConfig(change: Readonly<Record<string, unknown>>): void {
    const config = JSON.parse(Deno.readTextFileSync(this.agentConfig)) as Record<string, unknown>;
    Deno.writeTextFileSync(this.agentConfig, JSON.stringify({ ...config, ...change }));
  }

  /** Changes keys of the agent's configuration and starts it again with them. */
  async configureAgent(change: Readonly<Record<string, unknown>>): Promise<void> {
    this.changeAgentConfig(change);
    await this.kill("agent");
    await this.restart("agent");
  }

  /** Executes the CNI plugin with this node's configuration. */
  cni(
    call: CniCall,
    config?: Readonly<Record<string, unknown>>,
    onStart?: (child: Deno.ChildProcess) => void,
  ): Promise<CniExit> {
    return invokeCni(call, { ...this.sandbox.networkConfig, ...config }, onStart);
  }

  /** Runs a program in a pod's namespace. */
  inPod(pod: PodRecord, command: readonly string[], options?: RunOptions): Promise<RunResult> {
    return this.inNetns(pod.netns, command, options);
  }

  /** Runs a program in the node's namespace. */
  inNode(command: readonly string[], options?: RunOptions): Promise<RunResult> {
    return this.inNetns(this.sandbox.record.node.netns, command, options);
  }

  inNetns(netns: string, command: readonly string[], options?: RunOptions): Promise<RunResult> {
    return run("nsenter", [`--net=${netns}`, "--", ...command], options);
  }

  /** One ping of 1 s, and whether it was answered. */
  async ping(from: PodRecord, address: string | undefined): Promise<boolean> {
    if (address === undefined) throw new Error("Cannot ping: the pod has no such address");
    const { code } = await this.inPod(from, ["ping", "-c", "1", "-W", "1", address], {
      check: false,
    });
    return code === 0;
  }

  /** JSON of the agent's status server. */
  async status<T>(path: string): Promise<T> {
    const answer = await readStatus(this.sandbox.sockets.status, path);
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.body}`);
    return JSON.parse(answer.body) as T;
  }

  /** What the role has logged so far. */
  log(role: ProcessRecord["role"]): string {
    return Deno.readTextFileSync(`${this.directory}/sandbox/node1/${role}.log`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A stopped process would not see the request to end.
    for (const process of this.sandbox.record.node.processes) {
      if (isRunning(process)) Deno.kill(process.pid, "SIGCONT");
    }
    try {
      await this.sandbox.down(() => {});
    } finally {
      this.libc.close();
      Deno.removeSync(this.directory, { recursive: true });
    }
  }
}
