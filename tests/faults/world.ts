import { NetlinkError, NetNs, RtNetlink } from "@contiv/libc";
import { IpPrefix } from "@contiv/net";
import { VppClient } from "@contiv/vppapi";
import { request } from "node:http";
import type { DataPlaneChoice } from "../../deploy/sandbox/data_plane.ts";
import { isRunning } from "../../deploy/sandbox/role_process.ts";
import { run } from "../support/run_command.ts";
import { TestNode } from "../support/test_node.ts";
import { until } from "../support/until.ts";
import { Runtime } from "./runtime.ts";
import type { Fault, Handiwork, Round, StateHarm } from "./scenario.ts";
import { copyState, harmState, restoreState } from "./state_files.ts";

/** Octets of the file system that the agent's state is on. */
const DISK_SIZE = 12 << 20;
/** Milliseconds until a role answers, or has ended. */
const START_LIMIT_MS = 60_000;

/**
 * Shows another boot ID and a wall clock that goes wrong to a program, and to nothing else.
 * Namespaces that are made later arrive, as the mounts below /run are the machine's.
 */
const MACHINE = 'mount --bind "$1" /proc/sys/kernel/random/boot_id && shift && exec "$@"';

type Role = "agent" | "vswitch";

/** A node on this machine that faults are done to, and the runtime that uses it. */
export class World implements AsyncDisposable {
  readonly node: TestNode;
  readonly runtime: Runtime;
  readonly stateDirectory: string;
  #bootId = "";
  #clockMs = 0;

  private constructor(node: TestNode) {
    this.node = node;
    this.runtime = new Runtime(node);
    this.stateDirectory = `${this.#disk}/state`;
  }

  static async start(dataPlane: DataPlaneChoice): Promise<World> {
    const node = await TestNode.start(dataPlane);
    const world = new World(node);
    try {
      await node.kill("agent");
      Deno.mkdirSync(world.#disk);
      await run("mount", ["-t", "tmpfs", "-o", `size=${DISK_SIZE}`, "tmpfs", world.#disk]);
      const file = `${node.directory}/sandbox/node1/agent.json`;
      const config = JSON.parse(Deno.readTextFileSync(file)) as Record<string, unknown>;
      Deno.writeTextFileSync(file, JSON.stringify({ ...config, stateDir: world.stateDirectory }));
      world.#newBootId();
      await world.#startUntilReady(["agent"]);
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  get bootId(): string {
    return this.#bootId;
  }

  /** Carries out a round, to the moment when runtime and node have got over it. */
  async liveThrough({ add, remove, fault, delayMs, holdMs }: Round): Promise<void> {
    const calls = this.runtime.carryOut(add, remove);
    // It is awaited below; until then its failure must not end the process.
    calls.catch(() => {});
    await pause(delayMs);
    await this.#strike(fault, holdMs);
    await calls;
    await this.#untilReady();
    // Whoever lost the state has the node drained.
    if (fault.kind === "state" && fault.harm === "all lost") await this.runtime.replaceAll();
    // Not earlier: the runtime locks out pods that come while it collects.
    if (fault.kind === "namespace" && fault.found === "GC") await this.runtime.collect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.runtime.close();
    try {
      await run("umount", ["--lazy", this.#disk], { check: false });
    } finally {
      await this.node[Symbol.asyncDispose]();
    }
  }

  get #disk(): string {
    return `${this.node.directory}/sandbox/node1/disk`;
  }

  get #bootIdFile(): string {
    return `${this.node.directory}/sandbox/node1/boot_id`;
  }

  async #strike(fault: Fault, holdMs: number): Promise<void> {
    switch (fault.kind) {
      case "none":
        return;
      case "kill": {
        if (fault.victims.includes("plugins")) this.runtime.killPlugins();
        const roles = fault.victims.filter((victim) => victim !== "plugins");
        for (const role of roles) await this.#kill(role);
        await pause(holdMs);
        for (const role of roles) this.#start(role);
        if (!fault.again) return await this.#startUntilReady([]);
        // Half-way through what it does first.
        await pause(holdMs);
        for (const role of roles) await this.#kill(role);
        return await this.#startUntilReady(roles);
      }
      case "disk full":
        return await this.#fillDisk(fault.restart, holdMs);
      case "state":
        return await this.#harmState(fault.harm, fault.at);
      case "namespace": {
        const { name, netns } = this.runtime.pod(fault.pod);
        this.runtime.removeNamespace(netns);
        await pause(holdMs);
        if (fault.found === "DEL") return await this.runtime.remove(name);
        this.runtime.forget(name);
        return;
      }
      case "by hand":
        await this.#tamper(fault.pod, fault.what);
        await pause(holdMs);
        return await this.#post("/resync");
      case "clock":
        this.#clockMs += fault.byMs;
        Deno.writeTextFileSync(`${this.stateDirectory}/clock`, String(this.#clockMs));
        await pause(holdMs);
        if (!fault.restart) return;
        await this.#kill("agent");
        return await this.#startUntilReady(["agent"]);
      case "reboot":
        return await this.#reboot(fault.powerCut, fault.at);
    }
  }

  async #fillDisk(restart: boolean, holdMs: number): Promise<void> {
    const filler = `${this.#disk}/filler`;
    {
      using file = Deno.openSync(filler, { create: true, write: true });
      const block = new Uint8Array(4_096);
      try {
        while (file.writeSync(block) > 0);
      } catch {
        // Full.
      }
    }
    if (restart) {
      await this.#kill("agent");
      this.#startInVain("agent");
    }
    await pause(holdMs);
    Deno.removeSync(filler);
    await until("the agent has got over the full disk", () => {
      // It may have given up for want of room, and be started again, as a supervisor does.
      if (!isRunning(this.node.process("agent"))) this.#start("agent");
      return this.#isReady();
    }, START_LIMIT_MS);
  }

  async #harmState(harm: StateHarm, at: number): Promise<void> {
    await this.#kill("agent");
    const copy = copyState(this.stateDirectory);
    const mustRefuse = harmState(this.stateDirectory, harm, at);
    const logged = this.node.log("agent").length;
    this.#startInVain("agent");
    const agent = this.node.process("agent");
    let ready = false;
    await until(`the agent has looked at a state that is ${harm}`, async () => {
      if (!isRunning(agent)) return true;
      return ready = await this.#isReady();
    }, START_LIMIT_MS);
    if (ready) {
      if (mustRefuse) throw new Error(`The agent started on a state that is ${harm} at ${at}`);
      return;
    }
    const words = this.node.log("agent").slice(logged);
    if (!words.includes(`Cannot open attachments in ${this.stateDirectory}/state.sqlite: `)) {
      throw new Error(`The agent ended without a sentence on a state that is ${harm}: ${words}`);
    }
    restoreState(this.stateDirectory, copy);
    await this.#startUntilReady(["agent"]);
  }

  async #tamper(name: string, what: Handiwork): Promise<void> {
    const { netns, addresses } = this.runtime.pod(name);
    const inPod = (...command: string[]): Promise<unknown> => this.node.inNetns(netns, command);
    switch (what) {
      case "device removed":
        return void await inPod("ip", "link", "delete", "eth0");
      case "device renamed":
        await inPod("ip", "link", "set", "eth0", "down");
        return void await inPod("ip", "link", "set", "eth0", "name", "renamed");
      case "device down":
        return void await inPod("ip", "link", "set", "eth0", "down");
      case "addresses flushed":
        return void await inPod("ip", "address", "flush", "dev", "eth0");
      case "interface deleted":
      case "route deleted": {
        const host = IpPrefix.parse(`${addresses[0]}/32`);
        await using vpp = await VppClient.connect({
          path: this.node.sandbox.sockets.vpp,
          name: "hand",
        });
        const prefix = {
          address: { af: 0, un: Uint8Array.of(...host.address.bytes, ...new Array(12).fill(0)) },
          len: 32,
        };
        const routes = await vpp.dump("ip_route_v2_dump", { table: { table_id: 0 } });
        const route = routes.map((each) => each.route).find((each) =>
          each.prefix.len === 32 &&
          host.address.bytes.every((byte, i) => byte === each.prefix.address.un[i])
        );
        if (route === undefined) throw new Error(`Cannot find the route to ${addresses[0]}`);
        if (what === "route deleted") {
          await vpp.request("ip_route_add_del_v2", {
            is_add: false,
            is_multipath: false,
            route: { table_id: 0, prefix, paths: [] },
          });
          return;
        }
        const sw_if_index = route.paths[0]?.sw_if_index ?? 0;
        const links = await vpp.dump("sw_interface_dump");
        const link = links.find((each) => each.sw_if_index === sw_if_index);
        const device = /^host-(.*)$/.exec(link?.interface_name ?? "")?.[1];
        if (device === undefined) await vpp.request("tap_delete_v2", { sw_if_index });
        else await vpp.request("af_packet_delete", { host_if_name: device });
      }
    }
  }

  async #reboot(powerCut: boolean, at: number): Promise<void> {
    if (powerCut) await this.#kill("agent");
    else await this.#stop("agent");
    await this.#kill("vswitch");
    for (const { name } of this.runtime.pods) this.runtime.forget(name);
    this.#removeDevices();
    if (powerCut) harmState(this.stateDirectory, "log lost", at);
    this.#newBootId();
    await this.#startUntilReady(["vswitch", "agent"]);
    const { used } = await this.node.status<{ used: number }>("/ipam");
    const { length } = await this.node.status<unknown[]>("/attachments");
    if (used + length > 0) {
      throw new Error(`After a reboot ${length} attachments are known, ${used} have addresses`);
    }
  }

  /** What is left in the node's namespace of those that went. */
  #removeDevices(): void {
    using namespace = NetNs.open(this.node.libc, this.node.sandbox.record.node.netns);
    using netlink = RtNetlink.open(this.node.libc, namespace);
    for (const link of netlink.links()) {
      if (link.name === "lo") continue;
      try {
        netlink.deleteLink(link.index);
      } catch (error) {
        // The other end of a pod's goes with the pod's namespace, sooner or later.
        if (!(error instanceof NetlinkError && error.code === "ENODEV")) throw error;
      }
    }
  }

  #newBootId(): void {
    this.#bootId = crypto.randomUUID();
    Deno.writeTextFileSync(this.#bootIdFile, `${this.#bootId}\n`);
  }

  async #kill(role: Role): Promise<void> {
    if (isRunning(this.node.process(role))) await this.node.kill(role);
  }

  async #stop(role: Role): Promise<void> {
    const process = this.node.process(role);
    if (isRunning(process)) this.node.signal(role, "SIGTERM");
    await until(`${role} has ended`, () => !isRunning(process));
  }

  /** Starts a role that may end so soon that it was never seen to run; its log says why. */
  #startInVain(role: Role): void {
    try {
      this.#start(role);
    } catch (error) {
      if (isRunning(this.node.process(role))) throw error;
    }
  }

  #start(role: Role): void {
    if (role === "vswitch") return this.node.sandbox.start(role);
    const clock = new URL("./moved_clock.ts", import.meta.url).pathname;
    this.node.sandbox.start("agent", (command) => [
      ...["unshare", "--mount", "--propagation", "slave", "/bin/sh", "-c", MACHINE, "sh"],
      this.#bootIdFile,
      ...command.flatMap((word) => word === "run" ? [word, "--preload", clock] : [word]),
    ]);
  }

  async #startUntilReady(roles: readonly Role[]): Promise<void> {
    for (const role of roles) this.#start(role);
    await this.#untilReady();
  }

  async #untilReady(): Promise<void> {
    await until("the node is ready", () => this.#isReady(), START_LIMIT_MS);
  }

  async #isReady(): Promise<boolean> {
    for (const role of ["vswitch", "agent"] as const) {
      if (!isRunning(this.node.process(role))) {
        throw new Error(`${role} has ended: ${this.node.log(role).slice(-1_000)}`);
      }
    }
    return await this.node.status("/status").then((status) => (status as { ready: boolean }).ready);
  }

  #post(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const socketPath = this.node.sandbox.sockets.status;
      const call = request({ socketPath, path, method: "POST", timeout: 5_000 }, (response) => {
        response.resume();
        response.on("end", () => resolve());
      });
      call.on("timeout", () => call.destroy(new Error(`Cannot POST ${path}: no answer in 5 s`)));
      call.on("error", reject);
      call.end();
    });
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
