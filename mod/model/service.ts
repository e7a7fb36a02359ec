import type { Family, IpAddress, IpPrefix } from "@contiv/net";
import {
  address,
  family,
  flag,
  integer,
  list,
  object,
  oneOf,
  optional,
  port,
  prefix,
  type Shape,
  text,
} from "./_codecs.ts";
import { type Protocol, PROTOCOLS } from "./protocol.ts";

export const SERVICE_TYPES = ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] as const;
export const TRAFFIC_POLICIES = ["Cluster", "Local"] as const;
export const ADDRESS_MODES = ["VIP", "Proxy"] as const;

export type ServiceType = typeof SERVICE_TYPES[number];
export type TrafficPolicy = typeof TRAFFIC_POLICIES[number];

export interface ServicePort {
  /** Matches a slice's port by name and protocol; empty for a service's only port. */
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
  readonly nodePort?: number;
}

export interface LoadBalancerAddress {
  readonly address: IpAddress;
  /** Proxy: the load balancer translates by itself, and the address is none of ours. */
  readonly mode: typeof ADDRESS_MODES[number];
}

export interface Service {
  readonly namespace: string;
  readonly name: string;
  readonly type: ServiceType;
  /** By `clusterIP: None` or by label: then none of its addresses is served. */
  readonly headless: boolean;
  /** Whether its label names another proxy, so that none of its addresses is ours to serve. */
  readonly foreign: boolean;
  readonly families: readonly Family[];
  readonly clusterIps: readonly IpAddress[];
  readonly externalIps: readonly IpAddress[];
  /** Out of its status. */
  readonly loadBalancer: readonly LoadBalancerAddress[];
  /** Who may use the load-balancer addresses; absent for everybody. Host bits are cleared. */
  readonly sourceRanges?: readonly IpPrefix[];
  readonly ports: readonly ServicePort[];
  readonly externalPolicy: TrafficPolicy;
  readonly internalPolicy: TrafficPolicy;
  /** Seconds that a client keeps its backend; absent without affinity. */
  readonly affinitySeconds?: number;
  /** Where load balancers ask for this node's health. */
  readonly healthPort?: number;
}

export const SERVICE: Shape<Service, "namespace" | "name"> = object({
  type: oneOf(SERVICE_TYPES, "ClusterIP"),
  headless: flag,
  foreign: flag,
  families: list(family),
  clusterIps: list(address),
  externalIps: list(address),
  loadBalancer: list(
    object<LoadBalancerAddress, never>({ address, mode: oneOf(ADDRESS_MODES, "VIP") }),
  ),
  sourceRanges: optional(list(prefix)),
  ports: list(object<ServicePort, never>({
    name: text,
    protocol: oneOf(PROTOCOLS, "TCP"),
    port: port(),
    nodePort: optional(port()),
  })),
  externalPolicy: oneOf(TRAFFIC_POLICIES, "Cluster"),
  internalPolicy: oneOf(TRAFFIC_POLICIES, "Cluster"),
  affinitySeconds: optional(integer(1, 86_400)),
  healthPort: optional(port()),
});
