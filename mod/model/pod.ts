import type { IpAddress } from "@contiv/net";
import {
  address,
  flag,
  labels,
  list,
  object,
  oneOf,
  optional,
  port,
  type Shape,
  text,
} from "./_codecs.ts";
import type { Labels } from "./labels.ts";
import { type Protocol, PROTOCOLS } from "./protocol.ts";

export const PHASES = ["Pending", "Running", "Succeeded", "Failed", "Unknown"] as const;

export type Phase = typeof PHASES[number];

/** A port that a container declares; one that is nameless and has no host port is left out. */
export interface ContainerPort {
  /** Empty for none. One name may stand for several ports, one per protocol. */
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
  /** The node's port that leads here. */
  readonly hostPort?: number;
  /** The only address of the node that it does so at. */
  readonly hostIp?: IpAddress;
}

/** Known by namespace and name; a static pod's UID is not that of its mirror in the API. */
export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  /** The node that it is scheduled to. */
  readonly node?: string;
  readonly phase: Phase;
  /** Its own: none while it has not started, after it has ended, and on the host's network. */
  readonly addresses: readonly IpAddress[];
  readonly hostNetwork: boolean;
  readonly ports: readonly ContainerPort[];
}

const containerPort = object<ContainerPort, never>({
  name: text,
  protocol: oneOf(PROTOCOLS, "TCP"),
  port: port(),
  hostPort: optional(port()),
  hostIp: optional(address),
});

export const POD: Shape<Pod, "namespace" | "name"> = object({
  labels,
  node: optional(text),
  // A phase that only a newer writer knows tells this reader as little as Unknown does.
  phase: oneOf(PHASES, "Running", "Unknown"),
  addresses: list(address),
  hostNetwork: flag,
  ports: list(containerPort),
});

/** Whether the pod's containers have ended for good; its address may be another's by now. */
export function hasEnded({ phase }: Pick<Pod, "phase">): boolean {
  return phase === "Succeeded" || phase === "Failed";
}
