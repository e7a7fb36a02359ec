import type { Logger } from "@contiv/log";
import type { ClusterConfig } from "@contiv/model";
import { IpAddress, type IpPrefix } from "@contiv/net";
import type { VppClient } from "@contiv/vppapi";
import type { AttachmentStore } from "../attachments/mod.ts";
import * as linux from "../descriptors/linux/mod.ts";
import * as vppDescriptors from "../descriptors/vpp/mod.ts";
import { Ipam, type NodePrefix } from "../ipam/mod.ts";
import { VPP_KIND_PREFIX } from "../items/mod.ts";
import {
  type Change,
  EventLoop,
  EventQueue,
  type Operation,
  Reconciler,
} from "../reconciler/mod.ts";
import { VppConnection, type VppState } from "../vpp/mod.ts";
import { type AgentEvent, type AgentResult, eventHandling } from "./agent_event.ts";
import { AttachmentController } from "./attachment_controller.ts";
import { Deletions } from "./deletions.ts";
import { type AgentNetwork, NetworkController } from "./network_controller.ts";

export interface AgentOptions {
  readonly layouts: readonly NodePrefix[];
  readonly mtu: number;
  /** Absent: pods of this node reach each other only. */
  readonly network?: AgentNetwork;
  readonly podLink: vppDescriptors.PodLinkKind;
  /** What was made in VPP and cannot be read back. */
  readonly memory: vppDescriptors.VppMemory;
  readonly store: AttachmentStore;
  readonly namespaces: linux.Namespaces;
  /** Makes a connection to VPP; aborted by its signal. */
  readonly connectVpp: (signal: AbortSignal) => Promise<VppClient>;
  /** What the last connection to VPP goes over. */
  readonly vppTransport?: () => string | undefined;
  /** What messages call VPP: its socket's path. */
  readonly vppName: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: Logger;
  /** See {@link VppConnection}. */
  readonly vppTiming?: Pick<
    ConstructorParameters<typeof VppConnection>[0],
    "backoff" | "ping"
  >;
  /** Called when everything has been compared and set right. */
  readonly onResynced?: () => void;
  /** See {@link EventLoop}. @default 5_000 */
  readonly healingDelay?: number;
}

/** Events that may wait: CNI calls, of which a node's runtime makes some hundred at once at most. */
const QUEUE_CAPACITY = 4_096;

/** The agent without its servers: its parts, put together, and their start and end. */
export class Agent {
  readonly attachments: AttachmentController;
  readonly network: NetworkController;
  readonly reconciler: Reconciler;
  readonly ipam: Ipam;
  readonly store: AttachmentStore;
  readonly queue: EventQueue<AgentEvent, AgentResult>;
  readonly #log: Logger;
  readonly #onResynced: () => void;
  readonly #vpp: VppConnection;
  readonly #loop: EventLoop<AgentEvent, AgentResult>;
  readonly #deletions: Deletions;
  readonly #owners = new vppDescriptors.InterfaceOwners();
  /** Set for a preview, which starts no event loop. */
  #onFirstConnection: (() => void) | undefined;
  /** Goes up with every connection to VPP that is made or lost. */
  #generation = 0;
  /** The generation that everything was last compared with, and that it is being compared with. */
  #synced = -1;
  #comparing = -1;
  #running: Promise<unknown>[] = [];
  #looping = false;
  #stopping = false;

  constructor(options: AgentOptions) {
    const { layouts, log, namespaces, now, store } = options;
    this.#log = log;
    this.#onResynced = options.onResynced ?? (() => {});
    this.store = store;
    this.ipam = new Ipam(layouts);
    this.#takeOver();
    this.#vpp = new VppConnection({
      connect: options.connectVpp,
      name: options.vppName,
      ...options.vppTransport && { transport: options.vppTransport },
      log,
      onConnected: ({ pid }) => {
        options.memory.begin(String(pid));
        this.#onConnected();
      },
      onLost: () => this.#onLost(),
      onInterfaceEvent: (event) => this.#onInterfaceEvent(event),
      ...options.vppTiming,
    });
    const where = { namespaces, arrivals: new linux.DeviceArrivals() };
    this.reconciler = new Reconciler({
      descriptors: [
        vppDescriptors.loopbackDescriptor(this.#vpp),
        vppDescriptors.addressDescriptor(this.#vpp),
        vppDescriptors.interfaceDescriptor(this.#vpp, where, options.podLink, this.#owners),
        vppDescriptors.interfaceStateDescriptor(this.#vpp),
        vppDescriptors.unnumberedDescriptor(this.#vpp),
        vppDescriptors.sourceCheckDescriptor(this.#vpp),
        vppDescriptors.senderListDescriptor(this.#vpp),
        vppDescriptors.senderCheckDescriptor(this.#vpp),
        vppDescriptors.neighbourDescriptor(this.#vpp),
        vppDescriptors.neighbourLimitDescriptor(this.#vpp),
        vppDescriptors.uplinkDescriptor(this.#vpp),
        vppDescriptors.vxlanDescriptor(this.#vpp),
        vppDescriptors.bridgeDescriptor(this.#vpp),
        vppDescriptors.bridgePortDescriptor(this.#vpp),
        vppDescriptors.bridgeMacDescriptor(this.#vpp),
        vppDescriptors.snatDescriptor(this.#vpp, options.memory),
        vppDescriptors.snatExclusionDescriptor(this.#vpp, options.memory),
        vppDescriptors.cnatDescriptor(this.#vpp, options.memory),
        vppDescriptors.routeDescriptor(this.#vpp, {
          isOurs: (prefix) =>
            layouts.some((layout) => layout.prefix.contains(prefix)) ||
            isClusters(options.network?.config, prefix),
        }),
        linux.linkDescriptor(where),
        linux.sysctlDescriptor(where),
        linux.addressDescriptor(where),
        linux.neighbourDescriptor(where),
        linux.routeDescriptor(where),
        linux.sourceRouteDescriptor(where),
      ],
      now,
      log,
    });
    this.queue = new EventQueue({ capacity: QUEUE_CAPACITY });
    this.network = new NetworkController(options.network, this.queue);
    this.#deletions = new Deletions({
      store,
      ipam: this.ipam,
      namespaces,
      isSynced: () => this.#vppUnavailable === undefined,
      hasItems: (attachment) => this.attachments.hasItems(attachment),
      log,
    });
    this.attachments = new AttachmentController({
      store,
      ipam: this.ipam,
      namespaces,
      queue: this.queue,
      reconciler: this.reconciler,
      deletions: this.#deletions,
      unavailable: () => this.#vppUnavailable,
      conflict: () => this.network.conflict,
      mtu: options.mtu,
      translates: options.network?.uplink !== undefined,
      now,
      log,
    });
    this.#loop = new EventLoop({
      queue: this.queue,
      reconciler: this.reconciler,
      handler: {
        ...eventHandling,
        beforeResync: () => Promise.resolve(this.#beforeResync()),
        afterResync: () => this.#afterResync(),
      },
      isAway: () => !this.#vpp.state.connected,
      now,
      log,
      ...options.healingDelay !== undefined && { healingDelay: options.healingDelay },
    });
  }

  /** Why nothing can be added at the moment; `undefined` when all is well. */
  get unavailable(): string | undefined {
    return this.#vppUnavailable ?? this.network.conflict;
  }

  get #vppUnavailable(): string | undefined {
    if (this.#stopping) return "the agent stops";
    const { state } = this.#vpp;
    if (!state.connected) return `VPP is away: ${state.waitingFor}`;
    if (this.#synced !== this.#generation) return "VPP has not been compared with our state yet";
    return undefined;
  }

  get vppState(): VppState {
    return this.#vpp.state;
  }

  /** VPP, to be asked what is not in our state. @throws {VppConnectionError} while it is away */
  vppClient(): VppClient {
    return this.#vpp.client();
  }

  /** Connects to VPP; the event loop starts when that has succeeded once. */
  start(): void {
    this.#running.push(this.#vpp.run());
    if (this.#deletions.pending > 0) this.#deletions.schedule();
  }

  /**
   * What a start would do, without doing it: connects to VPP, reads what there is and compares. For
   * an agent that is not started; it is to be stopped afterwards.
   * @throws {VppConnectionError} if VPP does not answer within the limit
   */
  async preview(limitMs: number): Promise<readonly Operation[]> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onFirstConnection = resolve;
    this.#running.push(this.#vpp.run());
    const limit = setTimeout(resolve, limitMs);
    await promise;
    clearTimeout(limit);
    // Throws, and says what it waits for, where there is no connection.
    this.#vpp.client();
    this.reconciler.set(this.#desired());
    return await this.reconciler.preview();
  }

  /** Has everything compared and set right, soon. */
  requestResync(reason: string): void {
    if (this.#looping) this.#loop.requestResync(reason);
  }

  /**
   * Ends what is under way, for at most some milliseconds. What exists in VPP and Linux stays.
   */
  async stop(limitMs: number): Promise<void> {
    this.#stopping = true;
    this.queue.close("the agent stops", "drain");
    const timer = setTimeout(() => this.reconciler.abort("the agent stops"), limitMs);
    // The loop's end does not depend on VPP: its requests end with the connection.
    const force = setTimeout(() => this.#vpp.close(), limitMs);
    await Promise.all(this.#running.slice(1));
    clearTimeout(timer);
    clearTimeout(force);
    this.#vpp.close();
    await Promise.all(this.#running);
    this.#deletions.close();
  }

  /** Takes over the addresses that the recorded attachments hold. */
  #takeOver(): void {
    const problems = this.ipam.rebuild(
      this.store.list().map(({ id, addresses }) => ({
        key: id,
        addresses: addresses.map((text) => IpAddress.parse(text)),
      })),
    );
    for (const { key, address, problem, holder } of problems) {
      this.#log.warn("address does not fit", {
        attachment: key,
        address: String(address),
        problem,
        holder,
      });
    }
  }

  #onConnected(): void {
    this.#generation++;
    if (this.#onFirstConnection !== undefined) return this.#onFirstConnection();
    if (this.#looping) {
      this.#loop.requestResync("VPP connected");
    } else {
      this.#looping = true;
      this.#running.push(this.#loop.run());
    }
  }

  #onLost(): void {
    this.#generation++;
    if (this.#deletions.pending > 0) this.#deletions.schedule();
  }

  #beforeResync(): readonly Change[] {
    this.#comparing = this.#generation;
    // Another connection may lead to another VPP: nothing that is known of the last one counts.
    if (this.#synced !== this.#generation) this.reconciler.forgetAll(VPP_KIND_PREFIX);
    return this.#desired();
  }

  #desired(): readonly Change[] {
    return [...this.network.desired(), ...this.attachments.desired()];
  }

  #afterResync(): void {
    if (this.#vpp.state.connected) this.#synced = this.#comparing;
    this.attachments.withdrawDeleted();
    this.#deletions.schedule(0);
    this.#onResynced();
  }

  /** An interface of ours that somebody else deleted is made again. */
  #onInterfaceEvent({ swIfIndex, deleted }: { swIfIndex: number; deleted: boolean }): void {
    if (!deleted || this.#vppUnavailable !== undefined) return;
    const owner = this.#owners.get(swIfIndex);
    if (owner === undefined || this.store.get(owner)?.state !== "ready") return;
    this.#loop.requestResync(`interface ${swIfIndex} was deleted`);
  }
}

/** Whether a route is within what the cluster's nodes have, as one of a node that left may be. */
function isClusters(config: ClusterConfig | undefined, prefix: IpPrefix): boolean {
  return [...config?.pods ?? [], ...config?.hosts ?? []].some(({ subnet }) =>
    subnet.contains(prefix)
  );
}
