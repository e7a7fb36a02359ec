import type { Libc } from "@contiv/libc";
import type { Logger } from "@contiv/log";
import { agentOptions, memoryPath, storeOptions } from "./agent_parts.ts";
import { AttachmentStore } from "./attachments/mod.ts";
import { CniHandler, CniServer } from "./cni_server/mod.ts";
import type { AgentConfig } from "./config.ts";
import { Agent } from "./controller/mod.ts";
import { LinuxNamespaces } from "./descriptors/linux/mod.ts";
import {
  echo,
  joiningHandler,
  statusHandler,
  StatusServer,
  type StatusServerOptions,
} from "./status/mod.ts";
import { SqliteVppMemory, superviseVpp } from "./vpp/mod.ts";

/** All of a stop takes less than 5 s: calls under way, then the event loop, then sockets. */
const STOP_LIMITS = { callsMs: 2_000, loopMs: 1_500, statusMs: 500 };
/** Milliseconds between looks for namespaces that went without anybody telling us. */
const NAMESPACE_SWEEP_MS = 1_000;

/** Serves until the signal is aborted. */
export async function serve(
  config: AgentConfig,
  signal: AbortSignal,
  libc: Libc,
  log: Logger,
): Promise<void> {
  const startedAt = Date.now();
  using store = AttachmentStore.open(storeOptions(config, libc));
  using namespaces = new LinuxNamespaces(libc);
  using memory = SqliteVppMemory.open(memoryPath(config), storeOptions(config, libc).bootId);
  let waitingFor = "the store has not answered yet";
  let answer: StatusServerOptions["handle"] = joiningHandler({
    nodeName: config.nodeName,
    startedAt,
    waitingFor: () => waitingFor,
  });
  const status = await StatusServer.listen({
    path: config.statusSocket,
    libc,
    handle: (request) => answer(request),
  });
  await using _status = { [Symbol.asyncDispose]: () => status.close(STOP_LIMITS.statusMs) };
  const onWaiting = (reason: string): void => void (waitingFor = reason);
  const { store: access } = config;
  // Loaded here only: the store's client wants memory and rights that a lone node does without.
  await using membership = access === undefined
    ? undefined
    : await (await import("./membership.ts")).Membership.open({
      access,
      config,
      namespaces,
      attachments: store,
      boot: storeOptions(config, libc).bootId,
      signal,
      log,
      onWaiting,
    });
  const { layouts } = membership ?? config;
  const agent = new Agent({
    ...agentOptions(config, store, memory, namespaces, libc, log),
    ...membership?.agentOptions,
    onResynced: () => membership?.resynced(),
  });
  const handler = new CniHandler({
    attachments: agent.attachments,
    layouts,
    clock: () => performance.now(),
    log,
  });
  const supervisor = config.vpp && superviseVpp({
    ...config.vpp,
    libc,
    apiSocket: config.vppApiSocket,
    directory: config.stateDir,
    now: Date.now,
    log,
  });
  answer = statusHandler({
    agent,
    nodeName: config.nodeName,
    startedAt,
    echo: (netns, address, limitMs) => echo(libc, netns, address, limitMs),
    ...supervisor && { vppProcess: () => supervisor.status },
  });
  const cni = await CniServer.listen({
    path: config.cniSocket,
    libc,
    handle: (request) => handler.handle(request),
  });
  log.info("agent started", {
    node: config.nodeName,
    pid: Deno.pid,
    prefixes: layouts.map(({ prefix }) => prefix).join(","),
    attachments: store.size,
    cni: config.cniSocket,
    vpp: config.vppApiSocket,
  });
  await membership?.follow(agent.network);
  membership?.publish(agent, startedAt);
  const supervising = supervisor?.run();
  agent.start();
  const sweep = setInterval(() => namespaces.sweep(), NAMESPACE_SWEEP_MS);
  try {
    await aborted(signal);
    log.info("agent stops", { reason: String(signal.reason) });
  } finally {
    clearInterval(sweep);
    await cni.close(STOP_LIMITS.callsMs);
    await agent.stop(STOP_LIMITS.loopMs);
    supervisor?.close();
    await supervising;
    await membership?.unpublish();
  }
  log.info("agent stopped");
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
}
