import type { Family, IpAddress } from "@contiv/net";
import {
  address,
  family,
  flag,
  list,
  object,
  oneOf,
  optional,
  port,
  presumed,
  type Shape,
  text,
} from "./_codecs.ts";
import { type Protocol, PROTOCOLS } from "./protocol.ts";

export interface EndpointPort {
  readonly name: string;
  readonly protocol: Protocol;
  /** Where endpoints listen; absent means every port. */
  readonly port?: number;
}

export interface PodReference {
  readonly namespace: string;
  readonly name: string;
}

/** One backend. Conditions that Kubernetes left open are resolved. */
export interface Endpoint {
  readonly address: IpAddress;
  /** Counts whatever the other two say. */
  readonly ready: boolean;
  /** Matters only while terminating. */
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly node?: string;
  readonly zone?: string;
  /** Zones whose clients should use it; empty for no hint. */
  readonly zoneHints: readonly string[];
  /** Nodes whose clients should use it; these come before zones. */
  readonly nodeHints: readonly string[];
  readonly pod?: PodReference;
}

export interface EndpointSlice {
  readonly namespace: string;
  readonly name: string;
  /** The service that it belongs to, in the same namespace. */
  readonly service: string;
  readonly family: Family;
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

export const ENDPOINT_SLICE: Shape<EndpointSlice, "namespace" | "name"> = object({
  service: text,
  family,
  ports: list(object<EndpointPort, never>({
    name: text,
    protocol: oneOf(PROTOCOLS, "TCP"),
    port: optional(port()),
  })),
  endpoints: list(object<Endpoint, never>({
    address,
    ready: presumed,
    serving: presumed,
    terminating: flag,
    node: optional(text),
    zone: optional(text),
    zoneHints: list(text),
    nodeHints: list(text),
    pod: optional(object<PodReference, never>({ namespace: text, name: text })),
  })),
});
