import type { IpPrefix } from "@contiv/net";
import {
  always,
  type Codec,
  forms,
  list,
  object,
  oneOf,
  optional,
  port,
  prefix,
  selector,
  type Shape,
  text,
} from "./_codecs.ts";
import { type Protocol, PROTOCOLS } from "./protocol.ts";
import type { Selector } from "./selector.ts";

/** Addresses without some of them; pods' addresses count too. */
export interface BlockPeer {
  readonly block: IpPrefix;
  /** Not denied: another peer may give these back. */
  readonly except: readonly IpPrefix[];
}

/** Pods that both selectors select. */
export interface PodPeer {
  readonly pods: Selector;
  /** Absent: the policy's own namespace. */
  readonly namespaces?: Selector;
}

export type Peer = BlockPeer | PodPeer;

/** Ports by number, up to `endPort` inclusive if there is one. */
export interface NumberedPorts {
  readonly protocol: Protocol;
  readonly port: number;
  readonly endPort?: number;
}

/** A port by the name that the destination pod's containers give it. */
export interface NamedPort {
  readonly protocol: Protocol;
  readonly name: string;
}

/** Every port of a protocol. */
export interface ProtocolPorts {
  readonly protocol: Protocol;
  readonly all: true;
}

export type PolicyPort = NumberedPorts | NamedPort | ProtocolPorts;

/**
 * What is let through: one of the peers at one of the ports. A list that is absent means everyone or
 * every port; one that is empty, nobody or no port.
 */
export interface PolicyRule {
  readonly peers?: readonly Peer[];
  readonly ports?: readonly PolicyPort[];
}

/** Directions and rules are resolved: policyTypes decides which of the two lists is there. */
export interface NetworkPolicy {
  readonly namespace: string;
  readonly name: string;
  /** The pods of its namespace that it is for. */
  readonly pods: Selector;
  /** Absent: it does not isolate ingress. */
  readonly ingress?: readonly PolicyRule[];
  /** Absent: it does not isolate egress. */
  readonly egress?: readonly PolicyRule[];
}

const protocol = oneOf(PROTOCOLS, "TCP");
/** The pods' selector is always written: it tells a peer of pods, even all of them, from others. */
const podPeer = object<PodPeer, never>({ pods: selector, namespaces: optional(selector) });
const blockPeer = object<BlockPeer, never>({ block: prefix, except: list(prefix) });

/** An entry of an unknown form is left out: fewer are let through, and the list stays there. */
const peers: Codec<readonly Peer[]> = forms<Peer>((value) =>
  "block" in value ? blockPeer : "pods" in value ? podPeer : undefined
);

const numbered = object<NumberedPorts, never>({
  protocol,
  port: port(),
  endPort: optional(port()),
});
const named = object<NamedPort, never>({ protocol, name: text });
const everyPort = object<ProtocolPorts, never>({ protocol, all: always });

const ports: Codec<readonly PolicyPort[]> = forms<PolicyPort>((value) =>
  "port" in value ? numbered : "name" in value ? named : "all" in value ? everyPort : undefined
);

const rules = optional(list(object<PolicyRule, never>({
  peers: optional(peers),
  ports: optional(ports),
})));

export const NETWORK_POLICY: Shape<NetworkPolicy, "namespace" | "name"> = object({
  pods: selector,
  ingress: rules,
  egress: rules,
});
