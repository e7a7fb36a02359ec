import type { TestCluster } from "../support/test_cluster.ts";
import { SlowWires } from "./slow_wires.ts";

/** What the ports are called of the bridge that joins uplinks, and of the one that the store is on. */
const PORTS = { fabric: "uplink", store: "manage" } as const;
const BRIDGES = { fabric: "uplinks", store: "manage" } as const;
const TABLE = "faults";

export type Network = keyof typeof PORTS;

/**
 * Drops frames on the fabric's ports, by nftables, or lets them take their time. Neither needs a
 * qdisc, which some kernels lack.
 */
export class FabricFaults {
  readonly #nodes: TestCluster;
  #wires: SlowWires | undefined;

  constructor(nodes: TestCluster) {
    this.#nodes = nodes;
  }

  /** Cuts a node off, both ways. */
  async cut(network: Network, number: number): Promise<void> {
    await this.#drop([`${PORTS[network]}${number}`], ["ingress", "egress"], "drop");
  }

  /** Loses a share of what the nodes send and get. */
  async lose(network: Network, numbers: readonly number[], percent: number): Promise<void> {
    const ports = numbers.map((number) => `${PORTS[network]}${number}`);
    await this.#drop(ports, ["ingress", "egress"], `numgen random mod 100 < ${percent} drop`);
  }

  /** Every frame takes about so long, and some overtake others. */
  async delay(network: Network, numbers: readonly number[], delayMs: number): Promise<void> {
    const ports = numbers.map((number) => `${PORTS[network]}${number}`);
    this.#wires = await SlowWires.open(this.#nodes.libc, {
      netns: this.#nodes.cluster.fabric.netns,
      bridge: BRIDGES[network],
      ports,
      delayMs,
    });
    await this.#drop(SlowWires.links(ports), ["ingress"], "drop");
  }

  async heal(): Promise<void> {
    await this.#wires?.[Symbol.asyncDispose]();
    this.#wires = undefined;
    await this.#nft(`table netdev ${TABLE}\ndelete table netdev ${TABLE}\n`);
  }

  /** What comes from a node meets its port's ingress, what goes to it the egress. */
  async #drop(
    ports: readonly string[],
    hooks: readonly ("ingress" | "egress")[],
    rule: string,
  ): Promise<void> {
    const devices = ports.map((port) => JSON.stringify(port)).join(", ");
    const chains = hooks.map((hook) =>
      `chain ${hook} { type filter hook ${hook} devices = { ${devices} } priority 0; ${rule}; }`
    );
    await this.#nft(`table netdev ${TABLE} {\n${chains.join("\n")}\n}\n`);
  }

  async #nft(rules: string): Promise<void> {
    const { netns } = this.#nodes.cluster.fabric;
    await this.#nodes.inNetns(netns, ["nft", "-f", "-"], { stdin: rules });
  }
}
