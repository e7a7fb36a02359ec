import type { Logger } from "@contiv/log";
import {
  type VswitchAgent,
  type VswitchNode,
  vswitchNodeKey,
  vswitchPodKey,
  vswitchPodPrefix,
} from "@contiv/model";
import type { Store } from "@contiv/store";
import type { Agent, AgentNetwork } from "../controller/mod.ts";
import type { PodLinkMeta } from "../descriptors/vpp/mod.ts";
import { vppInterfaceKey } from "../items/mod.ts";
import { hostAddress } from "../network/mod.ts";
import { AgentBeacon } from "./agent_beacon.ts";
import { nodeDocuments } from "./node_documents.ts";
import { Publisher } from "./publisher.ts";

export interface PublicationOptions {
  readonly store: Store;
  readonly agent: Agent;
  readonly network: AgentNetwork;
  /** Of pods, octets. */
  readonly mtu: number;
  /** This boot of the kernel. */
  readonly boot: string;
  /** When the agent started; milliseconds since the epoch. */
  readonly startedAt: number;
  readonly statusSocket: string;
  readonly log: Logger;
}

/** Failed items that are told; the agent itself tells all. */
const MAX_FAILED = 10;
/** Characters of an error that are told. */
const MAX_ERROR = 300;
/** Milliseconds that a stop waits for the store to take the agent's end. */
const CLOSE_MS = 500;

/** Publishes a running agent's node, pods and well-being, until it is disposed of. */
export class Publication implements AsyncDisposable {
  readonly #publisher: Publisher;
  readonly #beacon: AgentBeacon;
  readonly #running: Promise<unknown>;

  constructor(options: PublicationOptions) {
    const { agent, boot, log, network, store } = options;
    const { id, name } = network.self;
    const node = { id, name };
    this.#publisher = new Publisher({
      store,
      node,
      prefixes: [vswitchPodPrefix(name), vswitchNodeKey(name)],
      documents: nodeDocuments({
        node: vswitchNode(options),
        boot,
        attachments: agent.store,
        link: (id) => agent.reconciler.meta(vppInterfaceKey(id)) as PodLinkMeta | undefined,
      }),
      log,
    });
    this.#beacon = new AgentBeacon({ store, node, state: () => vswitchAgent(options), log });
    agent.store.observe((id) => this.#publisher.changed(vswitchPodKey(name, id)));
    this.#running = Promise.all([this.#publisher.run(), this.#beacon.run()]);
  }

  /** Interfaces may be others than before: VPP was compared with what is wanted. */
  resynced(): void {
    this.#publisher.changedAll();
  }

  /** The store lost what was published. */
  republish(): void {
    this.#publisher.compare();
    this.#beacon.repeat();
  }

  /** Why the store does not have all yet, if so. */
  get problem(): string | undefined {
    return this.#publisher.problem ?? this.#beacon.problem;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#publisher.close();
    this.#beacon.close();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, CLOSE_MS));
    await Promise.race([this.#running, late]);
    clearTimeout(timer);
  }
}

function vswitchNode({ mtu, network, statusSocket }: PublicationOptions): VswitchNode {
  const { config, self, uplink } = network;
  return {
    name: self.name,
    id: self.id,
    transport: config.transport,
    device: uplink?.device ?? "",
    uplinkMtu: network.mtu.uplink,
    podMtu: mtu,
    pods: self.pods.map(({ prefix }) => prefix),
    host: self.hostLink.map(hostAddress),
    overlay: self.overlay,
    uplink: uplink?.addresses ?? [],
    gateways: uplink?.gateways ?? [],
    statusSocket,
  };
}

function vswitchAgent({ agent, network, startedAt }: PublicationOptions): VswitchAgent {
  const failed = agent.reconciler.failed();
  const state = agent.vppState;
  return {
    node: network.self.name,
    pid: Deno.pid,
    startedAt,
    unavailable: agent.unavailable ?? "",
    conflict: agent.network.conflict ?? "",
    vppConnected: state.connected,
    vpp: state.connected ? state.info.version : "",
    peers: agent.network.peers,
    failed: failed.slice(0, MAX_FAILED).map(({ key, error }) => ({
      key,
      error: (error ?? "").slice(0, MAX_ERROR),
    })),
    failedCount: failed.length,
  };
}
