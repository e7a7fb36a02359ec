/** Whether buffers and heap are to stand in huge pages. */
export const HUGE_PAGE_CHOICES = ["auto", "always", "never"] as const;
export type HugePageChoice = typeof HUGE_PAGE_CHOICES[number];

/** What VPP is to do on a machine, and where its files are. */
export interface Wish {
  /** Pods that the node is to carry. */
  readonly pods: number;
  /** Other nodes of the cluster: tunnels, neighbours and routes. */
  readonly nodes: number;
  /** Addresses, ports and protocols of services: cnat's translations. */
  readonly services: number;
  /** PCI address of a card that VPP is to drive itself, through DPDK. @default none */
  readonly uplink?: string | undefined;
  /** Threads that forward beside the main one. @default by the number of CPUs */
  readonly workers?: number | undefined;
  /** `auto`: where there are enough. */
  readonly hugePages: HugePageChoice;
  readonly paths: VppPaths;
}

/** Where VPP's files are. */
export interface VppPaths {
  readonly binary: string;
  /** Sockets but the API's, and files that go with the process. */
  readonly runtimeDirectory: string;
  readonly apiSocket: string;
  readonly log: string;
  /** Of the names of its shared memory, where several VPPs share a machine; or "". */
  readonly segmentPrefix: string;
}

/** Where VPP serves its command line and its counters. */
export function socketsIn({ runtimeDirectory }: VppPaths): { cli: string; stats: string } {
  return { cli: `${runtimeDirectory}/cli.sock`, stats: `${runtimeDirectory}/stats.sock` };
}
