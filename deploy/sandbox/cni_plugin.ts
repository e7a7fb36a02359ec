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

/**
 * Executes the CNI plugin as a container runtime does.
 *
 * @param config the network configuration for standard input
 * @throws {Error} with the plugin's own message if it fails, or takes longer than 30 s
 */
export async function executeCni(
  call: CniCall,
  config: Readonly<Record<string, unknown>>,
): Promise<CniResult> {
  const [program = "", ...args] = selfCommand();
  const env: Record<string, string> = {
    CNI_COMMAND: call.command,
    CNI_PATH: "/opt/cni/bin",
    PATH: Deno.env.get("PATH") ?? "/usr/sbin:/usr/bin:/sbin:/bin",
  };
  for (const name of ["HOME", "DENO_DIR"]) {
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
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(config)));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder().decode(stdout);
  if (code !== 0) {
    throw new Error(
      `Cannot ${call.command} ${call.containerId ?? "the network"}: the plugin ended with ` +
        `${code}: ${text.trim()} ${new TextDecoder().decode(stderr).trim()}`,
    );
  }
  return text.trim() === "" ? {} : JSON.parse(text) as CniResult;
}
