/**
 * The one entry: picks the command, loads only its code, and is the only place that exits.
 *
 * A container runtime executes it as a CNI plugin: with `CNI_COMMAND` in the environment and no
 * argument. That path is taken first, since every pod pays for it.
 */
import type { Command, CommandContext } from "@contiv/cli";

/**
 * Imports a file whose path Deno cannot see. Behind literal paths it reads every file, and theirs,
 * before the first line runs: 8 ms and more for the plugin, which needs none of them. `deno compile`
 * must be told of these files.
 */
function lazily<T>(path: string): Promise<T> {
  return import(path);
}

const COMMANDS: Record<string, { help: string; load: () => Promise<Command> }> = {
  agent: {
    help: "turn CNI requests and cluster state into VPP and Linux configuration",
    load: async () =>
      (await lazily<typeof import("./agent/command.ts")>("./agent/command.ts")).agentCommand,
  },
  cni: {
    help: "the CNI plugin, executed by the container runtime for every pod",
    load: async () => (await import("./cni/command.ts")).cniCommand,
  },
  vswitch: {
    help: "the embedded data plane: VPP's binary API, real packets",
    load: async () =>
      (await lazily<typeof import("./agent/vswitch/command.ts")>("./agent/vswitch/command.ts"))
        .vswitchCommand,
  },
  ksr: {
    help: "reflect cluster state into the store",
    load: async () =>
      (await lazily<typeof import("./ksr/command.ts")>("./ksr/command.ts")).ksrCommand,
  },
  store: {
    help: "the embedded store: etcd's v3 API on one file",
    load: async () =>
      (await lazily<typeof import("./mod/store/embedded/command.ts")>(
        "./mod/store/embedded/command.ts",
      )).storeCommand,
  },
  ctl: {
    help: "look at a cluster: nodes, pods, trace, doctor and more",
    load: async () =>
      (await lazily<typeof import("./agent/ctl/command.ts")>("./agent/ctl/command.ts")).ctlCommand,
  },
  "vpp-config": {
    help: "write VPP's startup configuration for this machine",
    load: async () =>
      (await lazily<typeof import("./agent/vpp_config/command.ts")>(
        "./agent/vpp_config/command.ts",
      ))
        .vppConfigCommand,
  },
  sandbox: {
    help: "a cluster on this machine: up, apply, status, exec, matrix, down, demo",
    load: async () =>
      (await lazily<typeof import("./deploy/sandbox/command.ts")>("./deploy/sandbox/command.ts"))
        .sandboxCommand,
  },
};

function usage(): string {
  const rows = Object.entries(COMMANDS).map(([name, { help }]) =>
    `  ${name.padEnd(10)}  ${help}\n`
  );
  return `Usage: contiv COMMAND [FLAGS]\n\n${rows.join("")}\ncontiv COMMAND --help says more.\n`;
}

/** In the single binary, which is built with what all roles need, a role keeps what it needs. */
async function giveBackOthers(role: string): Promise<void> {
  if (!Deno.build.standalone) return;
  const { giveBack } = await lazily<typeof import("./mod/permissions/mod.ts")>(
    "./mod/permissions/mod.ts",
  );
  await giveBack(role);
}

const encoder = new TextEncoder();

function sink(stream: { writeSync(bytes: Uint8Array): number }): CommandContext["stdout"] {
  return {
    write(text: string): void {
      let bytes = encoder.encode(text);
      while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
    },
  };
}

/** A context on this process. Signals are only listened to by commands that stay. */
function processContext(args: readonly string[], listen: boolean): CommandContext {
  const controller = new AbortController();
  if (listen) {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      Deno.addSignalListener(signal, () => controller.abort(signal));
    }
  }
  return {
    args,
    env: Deno.env,
    stdin: Deno.stdin,
    stdout: sink(Deno.stdout),
    stderr: sink(Deno.stderr),
    signal: controller.signal,
  };
}

async function main(): Promise<number> {
  const [name, ...args] = Deno.args;
  if (name === undefined && Deno.env.get("CNI_COMMAND") !== undefined) {
    const { cniCommand } = await import("./cni/command.ts");
    await giveBackOthers("cni");
    return await cniCommand(processContext([], false));
  }
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    Deno.stdout.writeSync(encoder.encode(usage()));
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    Deno.stderr.writeSync(
      encoder.encode(`contiv: unknown command ${JSON.stringify(name)}\n\n${usage()}`),
    );
    return 2;
  }
  const run = await command.load();
  await giveBackOthers(name);
  try {
    return await run(processContext(args, name !== "cni"));
  } catch (error) {
    if (error instanceof Error && error.name === "UsageError") {
      Deno.stderr.writeSync(encoder.encode(`contiv ${name}: ${error.message}\n`));
      return 2;
    }
    throw error;
  }
}

Deno.exit(await main());
