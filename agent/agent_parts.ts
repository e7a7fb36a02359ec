import { type Libc, readKernelFile } from "@contiv/libc";
import type { Logger } from "@contiv/log";
import type { AttachmentStore, AttachmentStoreOptions } from "./attachments/mod.ts";
import type { AgentConfig } from "./config.ts";
import type { AgentOptions } from "./controller/mod.ts";
import type { LinuxNamespaces } from "./descriptors/linux/mod.ts";
import type { VppMemory } from "./descriptors/vpp/mod.ts";
import { VppConnector } from "./vpp/mod.ts";

/** Of pods of a node without an uplink. */
const DEFAULT_MTU = 1500;

/** Where what was made in VPP and cannot be read back is kept. */
export function memoryPath({ stateDir }: AgentConfig): string {
  return `${stateDir}/vpp.sqlite`;
}

/** Of the attachments, in this boot of the kernel. */
export function storeOptions(config: AgentConfig, libc: Libc): AttachmentStoreOptions {
  return {
    path: `${config.stateDir}/state.sqlite`,
    bootId: readKernelFile(libc, "/proc/sys/kernel/random/boot_id").trim(),
  };
}

/** Of an agent on this machine. */
export function agentOptions(
  config: AgentConfig,
  store: AttachmentStore,
  memory: VppMemory,
  namespaces: LinuxNamespaces,
  libc: Libc,
  log: Logger,
): AgentOptions {
  const connector = new VppConnector({
    libc,
    name: "contiv-agent",
    transport: config.vppApiTransport,
    socket: config.vppApiSocket,
    segmentPrefix: config.vppApiPrefix,
    library: config.vppApiLibrary,
    apiFiles: config.vppApiFiles,
    log,
  });
  return {
    layouts: config.layouts,
    podLink: config.podLink,
    mtu: config.mtu ?? DEFAULT_MTU,
    store,
    memory,
    namespaces,
    connectVpp: (signal) => connector.connect(signal),
    vppTransport: () => connector.transport,
    vppName: config.vppApiSocket,
    // Date.now, with the fractions that durations in the history are worth reading for.
    now: () => performance.timeOrigin + performance.now(),
    log,
  };
}
