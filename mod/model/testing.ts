/**
 * Arbitrary cluster objects for property tests.
 *
 * @module
 */
import { type Family, IpAddress, IpPrefix } from "@contiv/net";
import fc from "fast-check";
import type { ClusterObject } from "./cluster_object.ts";
import { type Kind, KINDS } from "./kind.ts";
import type { Labels } from "./labels.ts";
import type { Peer, PolicyPort } from "./network_policy.ts";
import { PHASES } from "./pod.ts";
import { PROTOCOLS } from "./protocol.ts";
import { OPERATORS, type Selector } from "./selector.ts";
import { ADDRESS_MODES, SERVICE_TYPES, TRAFFIC_POLICIES } from "./service.ts";

const name = fc.stringMatching(/^[a-z][a-z0-9]{0,3}$/);
const port = fc.integer({ min: 1, max: 65_535 });
const protocol = fc.constantFrom(...PROTOCOLS);
const family = fc.constantFrom<Family[]>(4, 6);
const policy = fc.constantFrom(...TRAFFIC_POLICIES);

const address: fc.Arbitrary<IpAddress> = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
).map(IpAddress.from);

const prefix: fc.Arbitrary<IpPrefix> = fc.tuple(address, fc.nat(128)).map(([each, length]) =>
  IpPrefix.of(each, Math.min(length, each.bytes.length * 8)).network()
);

const some = <T>(each: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(each, { maxLength: 3 });

const labels: fc.Arbitrary<Labels> = some(fc.tuple(
  fc.constantFrom("app", "constructor", "tier", "example.org/zone"),
  fc.constantFrom("", "a", "b"),
)).map((entries) => new Map(entries));

const selector: fc.Arbitrary<Selector> = all({
  labels,
  expressions: some(
    all({ key: name, operator: fc.constantFrom(...OPERATORS), values: some(name) }),
  ),
});

/** A plain object with all of these fields. */
function all<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

/** A record whose fields of the second part may be missing. */
function record<A, B>(
  needed: { [K in keyof A]: fc.Arbitrary<A[K]> },
  optional: { [K in keyof B]: fc.Arbitrary<B[K]> },
): fc.Arbitrary<A & Partial<B>> {
  return fc.tuple(fc.record(needed), fc.record(optional, { requiredKeys: [] }))
    .map(([a, b]) => ({ ...a, ...b }) as unknown as A & Partial<B>);
}

const peer: fc.Arbitrary<Peer> = fc.oneof(
  all({ block: prefix, except: some(prefix) }),
  record({ pods: selector }, { namespaces: selector }),
);

const policyPort: fc.Arbitrary<PolicyPort> = fc.oneof(
  record({ protocol, port }, { endPort: port }),
  all({ protocol, name }),
  all({ protocol, all: fc.constant<true>(true) }),
);

const rules = some(record({}, { peers: some(peer), ports: some(policyPort) }));
const named = { namespace: name, name };

const OBJECTS: { readonly [K in Kind]: fc.Arbitrary<ClusterObject<K>> } = {
  namespaces: all({ name, labels }),
  nodes: all({
    name,
    labels,
    internal: some(address),
    external: some(address),
    podCidrs: some(prefix),
  }),
  pods: record({
    ...named,
    labels,
    phase: fc.constantFrom(...PHASES),
    addresses: some(address),
    hostNetwork: fc.boolean(),
    ports: some(record({ name, protocol, port }, { hostPort: port, hostIp: address })),
  }, { node: name }),
  services: record({
    ...named,
    type: fc.constantFrom(...SERVICE_TYPES),
    headless: fc.boolean(),
    foreign: fc.boolean(),
    families: some(family),
    clusterIps: some(address),
    externalIps: some(address),
    loadBalancer: some(all({ address, mode: fc.constantFrom(...ADDRESS_MODES) })),
    ports: some(record({ name, protocol, port }, { nodePort: port })),
    externalPolicy: policy,
    internalPolicy: policy,
  }, {
    sourceRanges: some(prefix),
    affinitySeconds: fc.integer({ min: 1, max: 86_400 }),
    healthPort: port,
  }),
  endpointslices: all({
    ...named,
    service: name,
    family,
    ports: some(record({ name, protocol }, { port })),
    endpoints: some(record({
      address,
      ready: fc.boolean(),
      serving: fc.boolean(),
      terminating: fc.boolean(),
      zoneHints: some(name),
      nodeHints: some(name),
    }, { node: name, zone: name, pod: all(named) })),
  }),
  networkpolicies: record({ ...named, pods: selector }, { ingress: rules, egress: rules }),
};

/** Any object of a kind. */
export function arbitraryObject<K extends Kind>(kind: K): fc.Arbitrary<ClusterObject<K>> {
  return OBJECTS[kind];
}

/** Any object of any kind. */
export const arbitraryOfAnyKind: fc.Arbitrary<{ kind: Kind; object: ClusterObject }> = fc
  .constantFrom(...KINDS)
  .chain((kind) => OBJECTS[kind].map((object: ClusterObject) => ({ kind, object })));
