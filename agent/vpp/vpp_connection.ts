import type { Logger } from "@contiv/log";
import { type VppClient, VppConnectionError } from "@contiv/vppapi";
import type { DumpName, RequestName } from "@contiv/vppapi";
import type { VppAccess } from "../descriptors/vpp/mod.ts";
import { sleep } from "../sleep.ts";
import { type UnavailableFeature, unavailableFeatures } from "./vpp_features.ts";
import { VppLayoutError } from "./vpp_layout_error.ts";

/** Messages that the agent cannot work without. */
export const REQUIRED_MESSAGES: readonly (RequestName | DumpName)[] = [
  "control_ping",
  "show_version",
  "want_interface_events",
  "sw_interface_dump",
  "sw_interface_set_flags",
  "sw_interface_set_mtu",
  "sw_interface_set_unnumbered",
  "sw_interface_tag_add_del",
  "sw_interface_add_del_address",
  "create_loopback_instance",
  "delete_loopback",
  "tap_create_v3",
  "tap_delete_v2",
  "ip_address_dump",
  "ip_unnumbered_dump",
  "ip_route_add_del_v2",
  "ip_route_v2_dump",
  "ip_neighbor_add_del",
  "ip_neighbor_dump",
  "ip_neighbor_config",
  "ip_neighbor_config_get",
  "urpf_update_v2",
  "urpf_interface_dump",
  "macip_acl_add_replace",
  "macip_acl_del",
  "macip_acl_dump",
  "macip_acl_interface_add_del",
  "macip_acl_interface_list_dump",
  "af_packet_create_v3",
  "af_packet_delete",
  "vxlan_add_del_tunnel_v3",
  "vxlan_tunnel_v2_dump",
  "bridge_domain_add_del_v2",
  "bridge_domain_dump",
  "sw_interface_set_l2_bridge",
  "l2fib_add_del",
  "l2_fib_table_dump",
  "feature_cnat_enable_disable",
  "feature_gso_enable_disable",
  "cnat_set_snat_addresses_v2",
  "cnat_get_snat_addresses",
  "cnat_set_snat_policy",
  "cnat_snat_policy_add_del_if",
  "cnat_snat_policy_add_del_exclude_pfx",
];

/** The VPP at the other end. */
export interface VppInfo {
  readonly pid: number;
  readonly version: string;
  /** What the connection goes over: `socket` or `shm`. */
  readonly transport?: string;
  /** What it cannot do: its release or its plugins lack messages. */
  readonly unavailable: readonly UnavailableFeature[];
  /** Whether it is another process than last time, so that all that was made in it is lost. */
  readonly restarted: boolean;
}

/** Where the connection stands. */
export type VppState =
  | { readonly connected: true; readonly info: VppInfo }
  | {
    readonly connected: false;
    /** What is missing, for people. */
    readonly waitingFor: string;
  };

export interface VppConnectionOptions {
  /** Makes a connection; aborted by its signal. */
  readonly connect: (signal: AbortSignal) => Promise<VppClient>;
  /** What messages call it: the socket's path. */
  readonly name: string;
  /** What the last connection goes over. */
  readonly transport?: () => string | undefined;
  readonly log: Logger;
  readonly onConnected: (info: VppInfo) => void;
  readonly onLost: (reason: string) => void;
  /** An interface came, went or changed its state. */
  readonly onInterfaceEvent?: (event: { swIfIndex: number; deleted: boolean }) => void;
  /** Milliseconds between attempts: the first, doubled up to the last. @default [50, 1000] */
  readonly backoff?: readonly [number, number];
  /** Milliseconds between pings, and for the answer to one. @default [1000, 3000] */
  readonly ping?: readonly [number, number];
}

/** Milliseconds that the end of a connection may take while the agent stops. */
const CLOSE_MS = 1_000;
/** Milliseconds in which what VPP has said is read, once there is time for it. */
const READ_MS = 50;

/**
 * Keeps a connection to VPP: connects, says what it waits for, notices a VPP that died or hangs, and
 * connects again.
 */
export class VppConnection implements VppAccess {
  readonly #options: VppConnectionOptions;
  readonly #stop = new AbortController();
  #client: VppClient | undefined;
  #state: VppState = { connected: false, waitingFor: "the first attempt" };
  #lastPid: number | undefined;

  constructor(options: VppConnectionOptions) {
    this.#options = options;
  }

  get state(): VppState {
    return this.#state;
  }

  client(): VppClient {
    if (this.#client !== undefined) return this.#client;
    const why = this.#state.connected ? "its connection ends" : this.#state.waitingFor;
    throw new VppConnectionError(
      "connection",
      "lost",
      `Cannot talk to VPP at ${this.#options.name}: ${why}, a connection wanted`,
    );
  }

  /** Runs until {@link close}. Never rejects. */
  async run(): Promise<void> {
    const { backoff: [first, last] = [50, 1_000], connect, log, name } = this.#options;
    const { signal } = this.#stop;
    let delay = first;
    while (!signal.aborted) {
      let reason: string;
      try {
        const client = await connect(signal);
        try {
          await this.#greet(client);
          delay = first;
          reason = await this.#watch(client);
        } finally {
          this.#client = undefined;
          await this.#end(client);
        }
      } catch (error) {
        reason = explain(error);
      }
      if (signal.aborted) return;
      const was = this.#state;
      this.#state = { connected: false, waitingFor: reason };
      if (was.connected) {
        log.warn("vpp lost", { socket: name, reason });
        this.#options.onLost(reason);
      } else if (was.waitingFor !== reason) {
        log.warn("waiting for vpp", { socket: name, reason });
      }
      await sleep(delay, signal);
      delay = Math.min(last, 2 * delay);
    }
  }

  /** Ends the connection and {@link run}. */
  close(): void {
    this.#stop.abort();
  }

  /** Closes a connection. libvppapiclient waits long for a VPP that died; who stops does not. */
  async #end(client: VppClient): Promise<void> {
    const { signal } = this.#stop;
    const late = Promise.withResolvers<void>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const limit = (): void => void (timer = setTimeout(late.resolve, CLOSE_MS));
    if (signal.aborted) limit();
    else signal.addEventListener("abort", limit, { once: true });
    await Promise.race([client.close(), late.promise]);
    signal.removeEventListener("abort", limit);
    clearTimeout(timer);
  }

  async #greet(client: VppClient): Promise<void> {
    const { version } = await client.request("show_version");
    const missing = client.missing(REQUIRED_MESSAGES);
    if (missing.length > 0) throw new VppLayoutError(missing, version);
    const { onConnected, onInterfaceEvent, log, name } = this.#options;
    client.on(
      "sw_interface_event",
      ({ sw_if_index, deleted }) => onInterfaceEvent?.({ swIfIndex: sw_if_index, deleted }),
    );
    const [{ vpe_pid: pid }] = await Promise.all([
      client.request("control_ping"),
      client.request("want_interface_events", { enable_disable: 1, pid: Deno.pid }),
    ]);
    const restarted = this.#lastPid !== undefined && this.#lastPid !== pid;
    this.#lastPid = pid;
    this.#client = client;
    const unavailable = unavailableFeatures(client);
    const transport = this.#options.transport?.();
    const info = {
      pid,
      version,
      restarted,
      unavailable,
      ...transport !== undefined && { transport },
    };
    this.#state = { connected: true, info };
    log.info("vpp connected", { socket: name, transport, pid, version, restarted });
    for (const { feature, missing } of unavailable) {
      log.warn("vpp lacks a feature", { feature, version, missing: missing.join(",") });
    }
    onConnected(info);
  }

  /** Waits for the connection's end, and brings it about if VPP does not answer pings. */
  async #watch(client: VppClient): Promise<string> {
    const { ping: [interval, timeoutMs] = [1_000, 3_000] } = this.#options;
    const { signal } = this.#stop;
    const end = new AbortController();
    const ended = client.closed.then((error) => {
      end.abort();
      return error.message;
    });
    while (true) {
      await sleep(interval, AbortSignal.any([signal, end.signal]));
      if (signal.aborted) return "the agent stops";
      if (end.signal.aborted) return await ended;
      const { received } = client.stats;
      try {
        await client.request("control_ping", {}, { timeoutMs, signal });
      } catch (error) {
        if (error instanceof VppConnectionError && error.code !== "timeout") return await ended;
        // Busy with thousands of requests before it, VPP lives; and so it does if its answer lies
        // unread because this process was busy.
        await sleep(READ_MS, AbortSignal.any([signal, end.signal]));
        if (client.stats.received === received) return explain(error);
      }
    }
  }
}

/** What stands in the way, for people. */
function explain(error: unknown): string {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each instanceof Deno.errors.NotFound) return "the socket does not exist";
    if (each instanceof Deno.errors.PermissionDenied) return "no right to open the socket";
    if (each instanceof Deno.errors.ConnectionRefused) return "nobody listens on the socket";
  }
  return error instanceof Error ? error.message : String(error);
}
