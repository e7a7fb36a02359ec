import {
  EVERYTHING,
  type Expression,
  type NetworkPolicy,
  type NumberedPorts,
  OPERATORS,
  type Peer,
  type PodPeer,
  type PolicyPort,
  type PolicyRule,
  PROTOCOLS,
  type Selector,
} from "@contiv/model";
import { readPrefix } from "./lenient_address.ts";
import { ConversionError, present, readNames } from "./metadata.ts";
import type { Raw } from "./raw.ts";

const PREFIX = "a prefix in CIDR notation";

/**
 * Reads a networking.k8s.io/v1 NetworkPolicy. An entry of a rule that cannot be read is left out of
 * a list that stays, so that it lets nobody through.
 * @throws {ConversionError}
 */
export function convertNetworkPolicy(raw: Raw): NetworkPolicy {
  const names = readNames(raw);
  const spec = raw.at("spec");
  const pods = readSelector(spec.at("podSelector"));
  if (pods === undefined) throw new ConversionError("spec.podSelector cannot be read");
  const types = spec.at("policyTypes").items().map((each) => each.oneOf(["Ingress", "Egress"]));
  const egress = spec.at("egress").items();
  // Without types a policy isolates ingress, and egress if it has a rule for it. A type that cannot
  // be read counts as either: less gets through.
  const isolates = (type: "Ingress" | "Egress"): boolean =>
    types.includes(type) || types.includes(undefined);
  const isolatesIngress = types.length === 0 || isolates("Ingress");
  const isolatesEgress = types.length === 0 ? egress.length > 0 : isolates("Egress");
  return {
    ...names,
    pods,
    ...present<Pick<NetworkPolicy, "ingress" | "egress">>({
      ingress: isolatesIngress
        ? spec.at("ingress").items().map((each) => readRule(each, "from"))
        : undefined,
      egress: isolatesEgress ? egress.map((each) => readRule(each, "to")) : undefined,
    }),
  };
}

function readRule(raw: Raw, peersKey: "from" | "to"): PolicyRule {
  const peers = listed(raw.at(peersKey));
  const ports = listed(raw.at("ports"));
  return present<PolicyRule>({
    peers: peers?.flatMap((each) => readPeer(each) ?? []),
    ports: ports?.flatMap((each) => readPort(each) ?? []),
  });
}

/** A list that limits: absent if it is empty, which means everything, and empty if it is no list. */
function listed(raw: Raw): Raw[] | undefined {
  const items = raw.items();
  return items.length > 0 || (raw.exists && !Array.isArray(raw.value)) ? items : undefined;
}

function readPeer(raw: Raw): Peer | undefined {
  const block = raw.at("ipBlock");
  const pods = raw.at("podSelector");
  const namespaces = raw.at("namespaceSelector");
  if (block.exists === (pods.exists || namespaces.exists)) {
    return raw.refuse("either ipBlock or selectors");
  }
  if (block.exists) {
    const cidr = block.at("cidr").parsed(readPrefix, PREFIX);
    const except = block.at("except").items().map((each) => each.parsed(readPrefix, PREFIX));
    const known = except.filter((each) => each !== undefined);
    // Without one of its exceptions a block would let more through.
    if (cidr === undefined || known.length < except.length) return undefined;
    return { block: cidr, except: known };
  }
  const podSelector = pods.exists ? readSelector(pods) : EVERYTHING;
  const namespaceSelector = namespaces.exists ? readSelector(namespaces) : undefined;
  if (podSelector === undefined) return undefined;
  if (namespaces.exists && namespaceSelector === undefined) return undefined;
  return {
    pods: podSelector,
    ...present<Pick<PodPeer, "namespaces">>({ namespaces: namespaceSelector }),
  };
}

function readPort(raw: Raw): PolicyPort | undefined {
  const protocolRaw = raw.at("protocol");
  const protocol = protocolRaw.exists ? protocolRaw.oneOf(PROTOCOLS) : "TCP";
  const port = raw.at("port");
  const end = raw.at("endPort");
  if (protocol === undefined) return undefined;
  if (!port.exists) {
    return end.exists ? end.refuse("no endPort without port") : { protocol, all: true };
  }
  if (typeof port.value === "string") {
    if (end.exists) return end.refuse("no endPort beside a name");
    return port.value === "" ? port.refuse("a port's name or number") : {
      protocol,
      name: port.value,
    };
  }
  const number = port.integer(1, 65_535);
  const endPort = end.integer(1, 65_535);
  if (number === undefined || (end.exists && endPort === undefined)) return undefined;
  if (endPort !== undefined && endPort < number) return end.refuse(`${number} or above`);
  return { protocol, port: number, ...present<Pick<NumberedPorts, "endPort">>({ endPort }) };
}

/** `undefined` if any part cannot be read: without it the selector would select more. */
export function readSelector(raw: Raw): Selector | undefined {
  const labels = raw.at("matchLabels");
  const map = labels.map();
  const expressions = raw.at("matchExpressions").items().map(readExpression);
  const known = expressions.filter((each) => each !== undefined);
  const whole = map.size === countKeys(labels.value) && known.length === expressions.length;
  const typed = isObject(raw.value) && (!raw.at("matchExpressions").exists ||
    Array.isArray(raw.at("matchExpressions").value));
  return whole && typed ? { labels: map, expressions: known } : undefined;
}

function isObject(value: unknown): boolean {
  return value === undefined || (typeof value === "object" && !Array.isArray(value));
}

function countKeys(value: unknown): number {
  if (value === undefined) return 0;
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.keys(value).length
    : -1;
}

function readExpression(raw: Raw): Expression | undefined {
  const key = raw.at("key").text();
  const operator = raw.at("operator").oneOf(OPERATORS);
  const values = raw.at("values").items().map((each) => each.text());
  const known = values.filter((each) => each !== undefined);
  if (!key || operator === undefined || known.length < values.length) return undefined;
  return { key, operator, values: known };
}
