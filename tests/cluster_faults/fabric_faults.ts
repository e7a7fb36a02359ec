import type { TestCluster } from "../support/test_cluster.ts";

/** The bridge that joins uplinks, and the one that the store is on. */
const PORTS = { fabric: "uplink", store: "manage" } as const;
const TABLE = "faults";

export type Network = keyof typeof PORTS;

/**
 * Drops frames on the fabric's ports, by nftables: this needs no qdisc, which some kernels lack, and
 * so adds no delay.
 */
export class FabricFaults {
  readonly #nodes: TestCluster;

  constructor(nodes: TestCluster) {
    this.#nodes = nodes;
  }

  /** Cuts a node off, both ways. */
  async cut(network: Network, number: number): Promise<void> {
    await this.#drop([`${PORTS[network]}${number}`], "drop");
  }

  /** Loses a share of what the nodes send and get. */
  async lose(network: Network, numbers: readonly number[], percent: number): Promise<void> {
    const ports = numbers.map((number) => `${PORTS[network]}${number}`);
    await this.#drop(ports, `numgen random mod 100 < ${percent} drop`);
  }

  async heal(): Promise<void> {
    await this.#nft(`table netdev ${TABLE}\ndelete table netdev ${TABLE}\n`);
  }

  /** Both ways of a port meet its ingress or egress. */
  async #drop(ports: readonly string[], rule: string): Promise<void> {
    const devices = ports.map((port) => JSON.stringify(port)).join(", ");
    const chain = (hook: string): string =>
      `chain ${hook} { type filter hook ${hook} devices = { ${devices} } priority 0; ${rule}; }`;
    await this.#nft(`table netdev ${TABLE} {\n${chain("ingress")}\n${chain("egress")}\n}\n`);
  }

  async #nft(rules: string): Promise<void> {
    const { netns } = this.#nodes.cluster.fabric;
    await this.#nodes.inNetns(netns, ["nft", "-f", "-"], { stdin: rules });
  }
}
