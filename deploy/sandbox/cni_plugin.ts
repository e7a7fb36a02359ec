import { DEFAULT_AGENT_SOCKET } from "@contiv/rpc/cni_path.ts";
import { ROLE_PERMISSIONS } from "@contiv/permissions";
import { selfCommand } from "./role_process.ts";

/** What the runtime tells the plugin (CNI specification 1.1.0, section 2). */
export interface CniCall {
  readonly command: "ADD" | "DEL" | "CHECK" | "GC" | "STATUS";
  readonly containerId?: string;
  readonly netns?: string;
  readonly interface?: string;
  /** CNI_ARGS as pairs. */
  readonly args?: Readonly<Record<string, string>>;
}

/** The parts of an ADD result that the sandbox reads (CNI specification 1.1.0, section 5). */
export interface CniResult {
  readonly ips?: readonly { readonly address: string; readonly gateway?: string }[];
}

/** How the plugin ended. */
export interface CniExit {
  readonly code: number;
  /** A result or an error, both JSON, or nothing. */
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Executes the CNI plugin as a container runtime does.
 *
 * @param config the network configuration for standard input
 * @param onStart see {@link invokeCni}
 * @throws {Error} with the plugin's own message if it fails
 */
export async function executeCni(
  call: CniCall,
  config: Readonly<Record<string, unknown>>,
  onStart?: (child: Deno.ChildProcess) => void,
): Promise<CniResult> {
  const { code, stdout, stderr } = await invokeCni(call, config, onStart);
  if (code !== 0) {
    throw new Error(
      `Cannot ${call.command} ${call.containerId ?? "the network"}: the plugin ended with ` +
        `${code}: ${stdout.trim()} ${stderr.trim()}`,
    );
  }
  return stdout.trim() === "" ? {} : JSON.parse(stdout) as CniResult;
}

/**
 * Like {@link executeCni}, with the plugin's failure as a result. The plugin is ended after 30 s.
 *
 * @param onStart given the plugin's process, for tests that interrupt it
 */
export async function invokeCni(
  call: CniCall,
  config: Readonly<Record<string, unknown>>,
  onStart?: (child: Deno.ChildProcess) => void,
): Promise<CniExit> {
  const agentSocket = String(config["agentSocket"] ?? DEFAULT_AGENT_SOCKET);
  const [program = "", ...args] = selfCommand(ROLE_PERMISSIONS.cni({ agentSocket }));
  const env: Record<string, string> = { CNI_COMMAND: call.command, CNI_PATH: "/opt/cni/bin" };
  for (const name of ["PATH", "HOME", "DENO_DIR"]) {
    const value = Deno.env.get(name);
    if (value !== undefined) env[name] = value;
  }
  if (call.containerId !== undefined) env["CNI_CONTAINERID"] = call.containerId;
  if (call.netns !== undefined) env["CNI_NETNS"] = call.netns;
  if (call.interface !== undefined) env["CNI_IFNAME"] = call.interface;
  if (call.args !== undefined) {
    env["CNI_ARGS"] = Object.entries(call.args).map(([k, v]) => `${k}=${v}`).join(";");
  }
  const child = new Deno.Command(program, {
    args,
    env,
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(30_000),
  }).spawn();
  onStart?.(child);
  const writer = child.stdin.getWriter();
  // A plugin that ends early closes its end; its exit says why.
  await writer.write(new TextEncoder().encode(JSON.stringify(config))).catch(() => {});
  await writer.close().catch(() => {});
  const output = await child.output();
  const decoder = new TextDecoder();
  return {
    code: output.code,
    stdout: decoder.decode(output.stdout),
    stderr: decoder.decode(output.stderr),
  };
}
